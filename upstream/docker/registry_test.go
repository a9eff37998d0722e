//go:build unix

package docker

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"mcpproxy/upstream"
)

// registry serves one image, fixture:1, to docker pull (OCI distribution, pull).
type registry struct {
	manifest []byte
	blobs    map[string][]byte
	pulls    atomic.Int32
}

func newRegistry(t *testing.T) (_ *registry, image string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "fixture")
	build := exec.Command("go", "build", "-o", program, "./testdata/fixture")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the fixture: %v\n%s", err, out)
	}
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	r := &registry{blobs: map[string][]byte{}}
	plain, packed := layer(t, data)
	config := r.add(t, map[string]any{
		"architecture": arch(t), "os": "linux", "config": map[string]any{},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{sum(plain)}},
	})
	r.blobs[sum(packed)] = packed
	r.manifest, err = json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
		"config": map[string]any{"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(r.blobs[config]), "digest": config},
		"layers": []any{map[string]any{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": len(packed), "digest": sum(packed)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return r, strings.TrimPrefix(server.URL, "http://") + "/fixture:1"
}

func (r *registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch {
	case strings.Contains(req.URL.Path, "/manifests/"):
		if req.Method == http.MethodGet {
			r.pulls.Add(1)
		}
		w.Header().Set("Content-Type", "application/vnd.docker.distribution.manifest.v2+json")
		w.Header().Set("Docker-Content-Digest", sum(r.manifest))
		_, _ = w.Write(r.manifest)
	case strings.Contains(req.URL.Path, "/blobs/"):
		_, _ = w.Write(r.blobs[req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:]])
	}
}

func (r *registry) add(t *testing.T, v any) (digest string) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	r.blobs[sum(data)] = data
	return sum(data)
}

// layer is a tar with the program, as it is and compressed.
func layer(t *testing.T, program []byte) (plain, packed []byte) {
	t.Helper()
	var archive, compressed bytes.Buffer
	w := tar.NewWriter(&archive)
	err := w.WriteHeader(&tar.Header{Name: "fixture", Mode: 0o755, Size: int64(len(program))})
	if err == nil {
		_, err = w.Write(program)
	}
	if err == nil {
		err = w.Close()
	}
	z := gzip.NewWriter(&compressed)
	if err == nil {
		_, err = z.Write(archive.Bytes())
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return archive.Bytes(), compressed.Bytes()
}

func sum(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

// arch is the daemon's, in Go's words.
func arch(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("docker", "version", "--format", "{{.Server.Arch}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// An image that is not here is pulled once for all servers, before any of them
// starts, and is seen to be pulled.
func testPull(t *testing.T) {
	r, image := newRegistry(t)
	core, logs := observer.New(zapcore.InfoLevel)
	var said sync.Map
	y := newYard(t, Options{Log: zap.New(core), Say: func(_, what string) { said.Store(what, true) }})
	t.Cleanup(func() { y.ask("image", "rm", "--force", image) })
	var specs []upstream.Spec
	for _, name := range []string{"one", "two", "three"} {
		specs = append(specs, fixture(name, func(s *upstream.Spec) { s.Isolation.Image = image }))
	}
	y.apply(specs...)
	y.ready("one", "two", "three")
	if n := r.pulls.Load(); n < 1 || n > 2 { // docker asks by tag, then by digest
		t.Errorf("the manifest was fetched %d times, want one pull", n)
	}
	for _, want := range []string{
		"docker isolation: pulling " + image + ", which is not on this machine",
		"docker isolation: pulls " + image + ": 1 of 1 layers",
		"docker isolation: pulled " + image,
	} {
		if logs.FilterMessage(want).Len() != 1 {
			t.Errorf("the log has %q %d times, want once", want, logs.FilterMessage(want).Len())
		}
	}
	if _, ok := said.Load("pulls " + image); !ok {
		t.Error("nobody was told what the start waits for")
	}
	if id := y.d.Known(image); id == "" || id != y.ask("image", "inspect", "--format", "{{.Id}}", image) {
		t.Errorf("the image is known as %q", id)
	}
}
