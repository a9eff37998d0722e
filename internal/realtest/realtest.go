// Package realtest is for tests with real components: other programs, processes,
// sockets. It says whether they must be there, and waits for what they do.
package realtest

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Required reports whether CI_REQUIRE, a list with commas, names the component:
// tests that need it then fail where it is not there.
func Required(component string) bool {
	return slices.Contains(strings.Split(os.Getenv("CI_REQUIRE"), ","), component)
}

// Missing ends a test that cannot run because of err: it fails where the
// component is [Required], else it is skipped and says how to get it.
func Missing(t testing.TB, component string, err error, cure string) {
	t.Helper()
	if Required(component) {
		t.Fatalf("CI_REQUIRE names %s, but: %v", component, err)
	}
	t.Skip(cure)
}
