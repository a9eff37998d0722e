package upstream

import (
	"testing"
	"time"
)

// What a server changes silently is found within a minute of use.
func TestTiming_ServersInUseAreListedEveryMinute(t *testing.T) {
	t.Parallel()
	def := Timing{}.withDefaults()
	s := schedule{t: def, last: time.Unix(0, 0)}
	if due := s.due(true).Sub(s.last); due > time.Minute {
		t.Errorf("a server in use is listed after %s", due)
	}
	if s.changed = true; s.due(true).Sub(s.last) > time.Second {
		t.Errorf("after list_changed it is listed after %s", s.due(true).Sub(s.last))
	}
}
