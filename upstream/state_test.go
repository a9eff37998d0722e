package upstream

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"mcpproxy/upstream/oauth"
)

func TestState_Transitions(t *testing.T) {
	t.Parallel()
	all := []State{Disabled, Held, Starting, Ready, NeedsLogin, BackingOff, Failed}
	want := map[State]string{
		Disabled:   "disabled",
		Held:       "held",
		Starting:   "starting ready needs-login backing-off failed",
		Ready:      "ready needs-login backing-off failed",
		NeedsLogin: "needs-login",
		BackingOff: "backing-off ready needs-login failed",
		Failed:     "failed",
	}
	for _, from := range all {
		for _, to := range all {
			listed := strings.Contains(" "+want[from]+" ", " "+string(to)+" ")
			if got := legal(from, to); got != listed {
				t.Errorf("legal(%s, %s) = %v, want %v", from, to, got, listed)
			}
		}
	}
}

func TestState_After(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		want State
	}{
		{"no command", fmt.Errorf("x: %w", ErrConfig), Failed},
		{"401", plain(fmt.Errorf("x: %w", ErrLogin)), NeedsLogin},
		{"403", plain(&LoginError{Challenge: oauth.Challenge{MoreRights: true}}), NeedsLogin},
		{"crash", ErrLost, BackingOff},
		{"anything", errors.New("x"), BackingOff},
	} {
		if got := after(c.err); got != c.want {
			t.Errorf("%s: after(%v) = %s, want %s", c.name, c.err, got, c.want)
		}
	}
}

func TestState_Unavailable_NamesNextStep(t *testing.T) {
	t.Parallel()
	if err := unavailable("srv", BackingOff, fmt.Errorf("x: %w", ErrLost)); errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "x: connection lost") {
		t.Errorf("unavailable = %v: a call that was not sent is not lost", err)
	}
	cause := errors.New("the reason")
	for st, want := range map[State]string{
		Disabled:   "mcpproxy upstream enable srv",
		Held:       "mcpproxy quarantine inspect srv",
		NeedsLogin: "mcpproxy auth login srv",
		Failed:     "mcpproxy upstream restart srv",
		BackingOff: "by itself",
	} {
		err := unavailable("srv", st, cause)
		if !errors.Is(err, ErrUnavailable) || !errors.Is(err, cause) || !strings.Contains(err.Error(), want) {
			t.Errorf("unavailable(%s) = %v, want %q in it", st, err, want)
		}
	}
}
