//go:build unix

package main

import (
	"strings"
	"testing"
)

func TestDesktopEntry_QuotesWhatAShellWouldRead(t *testing.T) {
	t.Parallel()
	got := desktopEntry([]string{`/opt/my "tools"/tray`, "--data-dir=$HOME/100%"})
	if want := `Exec="/opt/my \\"tools\\"/tray" "--data-dir=\\$HOME/100%%"`; !strings.Contains(got, want+"\n") {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
