package upstream_test

import (
	"testing"

	"go.uber.org/goleak"

	"mcpproxy/upstream/upstreamtest"
)

func TestMain(m *testing.M) {
	upstreamtest.Main() // a child of these tests ends here
	goleak.VerifyTestMain(m)
}
