package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcpproxy/internal/mcpclient"
	"mcpproxy/internal/realtest"
)

// names returns member of every entry of a list, sorted as listed.
func (a agent) names(method, list, member string) (names []string) {
	a.t.Helper()
	raw, err := a.s.Request(a.t.Context(), method, map[string]any{})
	if err != nil {
		a.t.Fatalf("%s: %v", method, err)
	}
	var page map[string]json.RawMessage
	var entries []map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(raw, &page), json.Unmarshal(page[list], &entries)); err != nil {
		a.t.Fatalf("%s: %v in %s", method, err, raw)
	}
	for _, e := range entries {
		var name string
		if err := json.Unmarshal(e[member], &name); err != nil {
			a.t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// TestPeers_PassThrough gets prompts, resources and instructions of a real server
// through the proxy.
func TestPeers_PassThrough(t *testing.T) {
	p := needPeers(t)
	in := serve(t, map[string]any{"everything": p.stdio("server-everything", "stdio")})
	a := newAgent(t, in)
	realtest.Until(t, "prompts to be listed", func() error {
		if got := a.names("prompts/list", "prompts", "name"); !slices.Contains(got, "everything__simple-prompt") {
			return fmt.Errorf("prompts = %q", got)
		}
		return nil
	})
	if got := a.names("resources/list", "resources", "uri"); len(got) == 0 {
		t.Error("no resources are listed")
	} else if raw, err := a.s.Request(t.Context(), "resources/read", map[string]any{"uri": got[0]}); err != nil || !strings.Contains(string(raw), `"contents"`) {
		t.Errorf("read of %s = %.300s, %v", got[0], raw, err)
	}
	if got := a.names("resources/templates/list", "resourceTemplates", "uriTemplate"); !slices.Contains(got, "demo://resource/dynamic/text/{resourceId}") {
		t.Errorf("templates = %q", got)
	}
	raw, err := a.s.Request(t.Context(), "resources/read", map[string]any{"uri": "demo://resource/dynamic/text/7"})
	if err != nil || !strings.Contains(string(raw), "demo://resource/dynamic/text/7") {
		t.Errorf("read of what a template makes = %s, %v", raw, err)
	}
	raw, err = a.s.Request(t.Context(), "prompts/get", map[string]any{"name": "everything__args-prompt", "arguments": map[string]string{"city": "Ulm"}})
	if err != nil || !strings.Contains(string(raw), "Ulm") {
		t.Errorf("prompts/get = %s, %v", raw, err)
	}
	var rpc *mcpclient.RPCError
	if _, err := a.s.Request(t.Context(), "prompts/get", map[string]any{"name": "everything__args-prompt"}); !errors.As(err, &rpc) || rpc.Code == 0 {
		t.Errorf("prompts/get without what it requires = %v, want the server's own error", err)
	}
	b := newAgent(t, in)
	if got := string(b.s.Initialized); !strings.Contains(got, "Instructions of everything, approved by the user") {
		t.Errorf("initialize = %s, want the server's instructions in it", got)
	}
}

// TestPeers_NothingPassesBeforeApproval: what a server that nobody approved says
// reaches no agent.
func TestPeers_NothingPassesBeforeApproval(t *testing.T) {
	p := needPeers(t)
	held := p.stdio("server-everything", "stdio")
	delete(held, "quarantined")
	in := serve(t, map[string]any{"everything": held})
	mcpproxy := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "mcpproxy", append(args, "-c", in.configPath(), "-d", in.dir)...)
		cmd.Env = append(os.Environ(), "HOME="+in.dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("mcpproxy %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	page := mcpproxy("quarantine", "inspect", "everything")
	for _, want := range []string{"prompt", "everything:prompt/simple-prompt", "everything:template/demo://resource/dynamic/text/{resourceId}", "everything:instructions"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	a := newAgent(t, in)
	for method, list := range map[string]string{"prompts/list": "prompts", "resources/list": "resources", "resources/templates/list": "resourceTemplates"} {
		if got := a.names(method, list, "name"); len(got) != 0 {
			t.Errorf("%s = %q before the approval", method, got)
		}
	}
	if strings.Contains(string(a.s.Initialized), "Instructions of") {
		t.Errorf("initialize = %s before the approval", a.s.Initialized)
	}
	for _, name := range []string{"everything__simple-prompt", "nope"} {
		if raw, err := a.s.Request(t.Context(), "prompts/get", map[string]any{"name": name}); err == nil {
			t.Errorf("prompts/get %s = %s before the approval", name, raw)
		}
	}
	var waiting struct{ Hash string }
	if err := json.Unmarshal([]byte(mcpproxy("quarantine", "inspect", "everything", "-o", "json")), &waiting); err != nil {
		t.Fatal(err)
	}
	mcpproxy("quarantine", "approve", "everything", "--hash", waiting.Hash)
	realtest.Until(t, "prompts of the approved server", func() error {
		if got := a.names("prompts/list", "prompts", "name"); !slices.Contains(got, "everything__simple-prompt") {
			return fmt.Errorf("prompts = %q", got)
		}
		return nil
	})
	mcpproxy("quarantine", "block", "everything:prompt/simple-prompt")
	realtest.Until(t, "the blocked prompt to go", func() error {
		if got := a.names("prompts/list", "prompts", "name"); slices.Contains(got, "everything__simple-prompt") || len(got) == 0 {
			return fmt.Errorf("prompts = %q", got)
		}
		return nil
	})
	var rpc *mcpclient.RPCError
	if _, err := a.s.Request(t.Context(), "prompts/get", map[string]any{"name": "everything__simple-prompt"}); !errors.As(err, &rpc) || !strings.Contains(rpc.Message, "mcpproxy quarantine inspect everything") {
		t.Errorf("prompts/get of a blocked prompt = %v, want the cure", err)
	}
}

// TestPeers_ConformancePassThrough runs the conformance suite's scenarios about
// resources and prompts against mcp-go's own fixture behind the proxy. Those that
// get a prompt ask for the fixture's bare names and cannot know ours.
func TestPeers_ConformancePassThrough(t *testing.T) {
	p := needPeers(t)
	fixture := filepath.Join(t.TempDir(), "fixture")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", fixture, "github.com/mark3labs/mcp-go/examples/conformance").CombinedOutput(); err != nil {
		t.Fatalf("build of the fixture: %v\n%s", err, out)
	}
	addr := freeAddr(t)
	cmd := exec.Command(fixture)
	cmd.Env = append(os.Environ(), "CONFORMANCE_ADDR="+addr)
	startProcess(t, cmd)
	realtest.Until(t, "the fixture", func() error { return get("http://" + addr + "/health") })
	in := serve(t, map[string]any{"fixture": map[string]any{"url": "http://" + addr + "/mcp", "quarantined": false}})
	a := newAgent(t, in)
	realtest.Until(t, "its resources", func() error {
		if got := a.names("resources/list", "resources", "uri"); len(got) == 0 {
			return errors.New("none yet")
		}
		return nil
	})
	for _, scenario := range []string{"resources-list", "resources-read-text", "resources-read-binary", "resources-templates-read", "prompts-list"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), p.node, p.script("conformance"), "server", "--url", in.url, "--scenario", scenario, "-o", t.TempDir())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("conformance: %v\n%s", err, out)
			}
		})
	}
}
