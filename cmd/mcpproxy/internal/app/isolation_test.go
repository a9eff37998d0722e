package app

import (
	"errors"
	"testing"

	"mcpproxy/quarantine"
)

// TestCheckImage_JudgesTheImageThatRuns: not the one that its name was last seen
// to stand for.
func TestCheckImage_JudgesTheImageThatRuns(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.servers["s"] = map[string]any{"command": "server", "quarantined": false, "enabled": false, "isolation": map[string]any{"enabled": true, "image": "i:latest"}}
	r.start()
	if err := r.app.checkImage("s", "sha256:one"); err != nil {
		t.Fatalf("the first image: %v", err)
	}
	if err := r.app.checkImage("s", "sha256:two"); !errors.Is(err, quarantine.ErrHeld) {
		t.Errorf("another image: %v, want held", err)
	}
	if err := r.app.checkImage("s", "sha256:one"); err != nil {
		t.Errorf("the first image again: %v", err)
	}
}
