package realtest_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"mcpproxy/internal/realtest"
)

// script is a test that is none of Go's.
type script struct{ said string }

func (s *script) Fatalf(format string, args ...any) { s.said = fmt.Sprintf(format, args...) }

func TestUntil(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		realtest.Until(t, "three seconds", func() error {
			if time.Since(began) < 3*time.Second {
				return errors.New("not yet")
			}
			return nil
		})
		s := &script{}
		realtest.Until(s, "nothing", func() error { return errors.New("broken") })
		if took := time.Since(began).Round(time.Second); took != 63*time.Second || s.said != "waited in vain for nothing: broken" {
			t.Errorf("after %v said %q", took, s.said)
		}
	})
}

func TestMissing(t *testing.T) {
	for _, required := range []string{"", "npm,docker,tray"} {
		t.Setenv("CI_REQUIRE", required)
		if got := realtest.Required("docker"); got != (required != "") {
			t.Errorf("CI_REQUIRE=%q: Required = %v", required, got)
		}
	}
	t.Setenv("CI_REQUIRE", "")
	t.Run("skips", func(t *testing.T) {
		defer func() {
			if !t.Skipped() {
				t.Error("it was not skipped")
			}
		}()
		realtest.Missing(t, "docker", errors.New("no daemon"), "start it")
	})
}
