//go:build unix

package docker

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcpproxy/upstream"
)

// fakeDocker returns a Docker whose docker command is that shell script.
func fakeDocker(t *testing.T, opt Options, script string) *Docker {
	t.Helper()
	opt.Dir, opt.Command = t.TempDir(), filepath.Join(t.TempDir(), "docker")
	if err := os.WriteFile(opt.Command, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	d, err := Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestInvoke_BoundsOutput: a container that an attached command copies from
// cannot fill the memory.
func TestInvoke_BoundsOutput(t *testing.T) {
	t.Parallel()
	d := fakeDocker(t, Options{}, `case $1 in
	flood) head -c 8000000 /dev/zero ;;
	fails) head -c 8000000 /dev/zero >&2; echo; echo 'the last words' >&2; exit 3 ;;
	fits) head -c 1000000 /dev/zero | tr '\0' x ;;
	esac`)
	if out, err := d.docker(t.Context(), "flood"); err == nil || !strings.Contains(err.Error(), "more than 1024 KiB") {
		t.Errorf("docker flood = %d bytes, %v", len(out), err)
	}
	_, err := d.docker(t.Context(), "fails")
	if failed := new(commandError); !errors.As(err, &failed) || failed.status != 3 || !strings.HasSuffix(err.Error(), "the last words") || len(err.Error()) > maxOutput {
		t.Errorf("docker fails = %.200v", err)
	}
	if out, err := d.docker(t.Context(), "fits"); len(out) != 1000000 || err != nil {
		t.Errorf("docker fits = %d bytes, %v", len(out), err)
	}
}

func TestPullProgress_WithoutEndOfLine(t *testing.T) {
	t.Parallel()
	p := &pullProgress{report: func(int, int) {}}
	for range 100 {
		_, _ = p.Write([]byte(strings.Repeat("x", 10000)))
	}
	if len(p.rest) > maxProgress {
		t.Errorf("%d bytes of one line are kept", len(p.rest))
	}
}

// TestCommand_JudgesTheImageItRuns: a tag that moves once it was judged, and that
// somebody else looked at since, changes nothing of what runs.
func TestCommand_JudgesTheImageItRuns(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	var judged string
	var d *Docker
	d = fakeDocker(t, Options{Check: func(_, id string) error {
		judged = id
		return d.known.note("i:latest", "sha256:moved")
	}}, `echo "$@" >>'`+log+`'; case "$1 $2" in 'image inspect') echo sha256:judged ;; esac`)
	c, err := d.Command(t.Context(), upstream.Spec{Name: "s", Command: "server", Isolation: &upstream.Isolation{Image: "i:latest", Network: "none"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Remove()
	commands, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if judged != "sha256:judged" || !strings.Contains(string(commands), " sha256:judged server\n") || strings.Contains(string(commands), "moved") {
		t.Errorf("judged %q, ran\n%s", judged, commands)
	}
}

// TestExplain_Killed: docker may tell of the lack of memory after the end, or not
// at all.
func TestExplain_Killed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, tells, want string }{
		{"told late", "[ -e $asked ] && echo oom $now", "the container ran out of its 64m memory limit"},
		{"never told", "", "most likely since it ran out of its 64m memory limit"},
		{"by somebody", "echo kill $now", "killed from outside"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := fakeDocker(t, Options{}, "asked="+filepath.Join(t.TempDir(), "asked")+` now=$(date +%s%N)
			echo "start $now"
			echo "die $now"
			`+c.tells+`
			touch $asked`)
			one := &container{d: d, p: &plan{memory: "64m"}, name: "x", life: t.Context(), since: time.Now()}
			process := exec.Command("sh", "-c", "exit 137")
			_ = process.Run()
			if err := one.explain(process.ProcessState, ""); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("explain = %v, want %q", err, c.want)
			}
		})
	}
}
