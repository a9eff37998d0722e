package quarantine_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain keeps the property test to a few seconds: every step of it is an
// fsync. More: go test ./quarantine -run Model -rapid.checks=1000
func TestMain(m *testing.M) {
	if f := flag.Lookup("rapid.checks"); f != nil {
		if err := f.Value.Set("30"); err != nil {
			panic(err)
		}
	}
	flag.Parse() // an explicit flag wins
	os.Exit(m.Run())
}
