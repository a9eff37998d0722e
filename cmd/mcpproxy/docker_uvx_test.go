//go:build unix

package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mcpproxy/internal/realtest"
)

// uvStandIn is the part of uvx that this test needs: it installs a package and
// runs the module of its name. The real uv is not on every index.
const uvStandIn = `import os, subprocess, sys

def main():
    args = sys.argv[1:]
    if args == ["--version"]:
        print("uvx 0.0.1 (stand-in)")
        return
    target = os.path.join(os.environ["UV_TOOL_DIR"], args[0])
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", target, args[0]], check=True, stdout=sys.stderr)
    os.environ["PYTHONPATH"] = target
    os.execv(sys.executable, [sys.executable, "-m", args[0].replace("-", "_")] + args[1:])
`

// helloServer is a small MCP server from a package index.
const helloServer = `import json, sys

for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request:
        continue
    method = request["method"]
    if method == "initialize":
        result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "hello", "version": "1"}}
    elif method == "tools/list":
        result = {"tools": [{"name": "hello", "inputSchema": {"type": "object"}}]}
    elif method == "tools/call":
        result = {"content": [{"type": "text", "text": "hello from python %d.%d" % sys.version_info[:2]}]}
    else:
        result = {}
    print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)
`

// wheel packs one module (PyPA, binary distribution format).
func wheel(t *testing.T, name, module, source, scripts string) []byte {
	t.Helper()
	info := strings.ReplaceAll(name, "-", "_") + "-0.0.1.dist-info/"
	files := [][2]string{
		{module + ".py", source},
		{info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: 0.0.1\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "entry_points.txt", scripts},
	}
	record := info + "RECORD,,\n"
	for _, f := range files {
		record += f[0] + ",,\n"
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range append(files, [2]string{info + "RECORD", record}) {
		part, err := w.Create(f[0])
		if err == nil {
			_, err = part.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// packageIndex serves wheels (PEP 503) where containers on the bridge find it,
// and returns its URL.
func packageIndex(t *testing.T, wheels map[string][]byte) string {
	t.Helper()
	subnet, err := netip.ParsePrefix(runDocker(t, "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(subnet.Masked().Addr().Next().String(), "0"))
	if err != nil {
		t.Skipf("the bridge is not on this machine: %v", err)
	}
	mux := http.NewServeMux()
	for name, data := range wheels {
		file := strings.ReplaceAll(name, "-", "_") + "-0.0.1-py3-none-any.whl"
		mux.HandleFunc("/simple/"+name+"/", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `<!DOCTYPE html><a href="/files/%s">%s</a>`, file, file)
		})
		mux.HandleFunc("/files/"+file, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) })
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + l.Addr().String() + "/simple"
}

// uvx starts a package in an image that has python and pip, and no uvx.
func testDockerUvx(t *testing.T) {
	index := packageIndex(t, map[string][]byte{
		"uv":        wheel(t, "uv", "uv_standin", uvStandIn, "[console_scripts]\nuv = uv_standin:main\nuvx = uv_standin:main\n"),
		"hello-mcp": wheel(t, "hello-mcp", "hello_mcp", helloServer, ""),
	})
	host, _, _ := strings.Cut(strings.TrimPrefix(index, "http://"), ":")
	in := serveIsolated(t, map[string]any{"hello": map[string]any{
		"command": "uvx", "args": []string{"hello-mcp"}, "quarantined": false,
		"env": map[string]string{"PIP_INDEX_URL": index, "PIP_TRUSTED_HOST": host},
	}})
	a := newAgent(t, in)
	if got := a.call("call_tool_destructive", "hello:hello", map[string]any{}); got != "hello from python 3.11" {
		t.Errorf("hello = %q", got)
	}
	if !strings.Contains(in.said(), "python:3.11 has no uvx: installing uv") {
		t.Error("the installation of uv is not in the log")
	}
	in.run(t, "upstream", "restart", "hello")
	realtest.Until(t, "the restart", func() error { return get("http://" + in.addr + "/readyz") })
	if n := strings.Count(in.said(), "installing uv"); n != 1 {
		t.Errorf("uv was installed %d times, want once for the server's volume", n)
	}
}
