package upstream

import (
	"context"
	"os"
	"os/exec"
	"time"
)

// Isolation asks for one stdio server behind walls. Empty fields mean the
// isolator's own defaults.
type Isolation struct {
	Image      string // empty: none is known for the command
	Network    string
	WorkingDir string // a path behind the walls
	Memory     string // such as 512m
	CPUs       string // such as 1.5
	Mounts     []string
	ExtraArgs  []string
	Timeout    time.Duration // of initialize once the walls stand; 0 means Timing.Start
	Review     bool          // a person looks at it: whatever image is there will do
}

// Isolator runs stdio servers behind a wall such as a container.
type Isolator interface {
	// Command prepares what s needs, which may take minutes, and returns the
	// command that runs s isolated, or nil if s.Isolation is nil. Args and Env of
	// s are expanded. What was prepared outlives ctx.
	Command(ctx context.Context, s Spec) (*Isolated, error)
	// Sweep ends what earlier instances left behind.
	Sweep(ctx context.Context) error
}

// Isolated is a prepared server. Its command is not started yet. Explain and
// Remove are nil where there are no walls.
type Isolated struct {
	// Cmd has Path, Args and Env; the rest is the caller's to set.
	Cmd *exec.Cmd
	// Explain says why Cmd ended, or nil if its status says all. stderr is the end
	// of what came on its stderr, which may be the server's own words.
	Explain func(status *os.ProcessState, stderr string) error
	// Remove ends and removes what is behind the walls, whether Cmd was started
	// or not. It is called once, when Cmd has ended, and takes at most 10 s.
	Remove func()
}

// explained reports whether somebody knows more than the status of Cmd.
func (i *Isolated) explained() bool { return i.Explain != nil }

func (i *Isolated) remove() {
	if i.Remove != nil {
		i.Remove()
	}
}
