// Package dockertest gives tests a Docker daemon and the image of a server that
// behaves badly, upstream/docker/testdata/fixture.
package dockertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"mcpproxy/internal/realtest"
)

// Image is the image that [Import] makes: /fixture, with / as its PATH.
const Image = "mcpproxy-fixture:1"

// Need skips where no daemon answers, and fails there if CI_REQUIRE names
// docker. It makes the [Image].
func Need(t testing.TB) {
	t.Helper()
	if out, err := exec.Command("docker", "version").CombinedOutput(); err != nil {
		realtest.Missing(t, "docker", fmt.Errorf("%w\n%s", err, out), "needs a Docker daemon; with dockerd installed: .ci/part-docker.sh")
	}
	Import(t, "docker")
}

// Import makes the [Image] in the daemon of a docker command.
func Import(t testing.TB, docker string) {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "fixture"), "mcpproxy/upstream/docker/testdata/fixture")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the fixture: %v\n%s", err, out)
	}
	pack := exec.Command("sh", "-c", `tar -C "$1" -c fixture | "$2" import -c 'ENV PATH=/' - "$3"`, "sh", dir, docker, Image)
	if out, err := pack.CombinedOutput(); err != nil {
		t.Fatalf("import the fixture: %v\n%s", err, out)
	}
}
