package metrics

import (
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func scrape(t *testing.T, m *Metrics) []string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text, err := io.ReadAll(w.Body)
	if err != nil || w.Code != 200 {
		t.Fatalf("%d, %v: %s", w.Code, err, text)
	}
	return strings.Split(string(text), "\n")
}

func series(lines []string, begin string) (n int) {
	for _, l := range lines {
		if strings.HasPrefix(l, begin) {
			n++
		}
	}
	return n
}

func TestMetrics_Scrape(t *testing.T) {
	t.Parallel()
	m := New("1.2.3", func() State {
		return State{
			Servers: map[string]string{"a": "ready", "b": "failed"}, States: []string{"ready", "failed", "held"}, Up: "ready",
			Tools: map[string]int{"a": 7}, Held: map[string]int{"b": 2}, Vectors: 5, Model: "m",
		}
	})
	m.Called("a", "ok", 30*time.Millisecond)
	m.Called("a", "refused", 0)
	m.Called("", "refused", 0)
	m.Searched(3 * time.Millisecond)
	m.Listed()
	m.Truncated()
	m.Held()
	lines := scrape(t, m)
	for _, want := range []string{
		`mcpproxy_build_info{version="1.2.3"} 1`,
		`mcpproxy_calls_total{outcome="ok",server="a"} 1`,
		`mcpproxy_calls_total{outcome="refused",server="a"} 1`,
		`mcpproxy_calls_total{outcome="refused",server="(others)"} 1`,
		`mcpproxy_call_duration_seconds_bucket{server="a",le="0.025"} 0`,
		`mcpproxy_call_duration_seconds_bucket{server="a",le="0.05"} 1`,
		`mcpproxy_call_duration_seconds_count{server="a"} 1`,
		`mcpproxy_search_duration_seconds_count 1`,
		`mcpproxy_tool_listings_total 1`,
		`mcpproxy_truncations_total 1`,
		`mcpproxy_holds_total 1`,
		`mcpproxy_upstreams{state="ready"} 1`,
		`mcpproxy_upstreams{state="held"} 0`,
		`mcpproxy_upstream_up{server="a"} 1`,
		`mcpproxy_upstream_up{server="b"} 0`,
		`mcpproxy_index_tools{server="a"} 7`,
		`mcpproxy_held_tools{server="b"} 2`,
		`mcpproxy_index_vectors 5`,
		`mcpproxy_model_info{model="m"} 1`,
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if series(lines, "go_goroutines") != 1 {
		t.Error("the runtime's own metrics are missing")
	}
}

func TestMetrics_BoundsAndForgets(t *testing.T) {
	t.Parallel()
	m := New("", func() State { return State{} })
	for i := range maxServers + 50 {
		m.Called(fmt.Sprint("s", i), "ok", time.Millisecond)
	}
	if n := series(scrape(t, m), "mcpproxy_calls_total"); n != maxServers+1 {
		t.Errorf("%d servers are told apart, want %d and the others", n, maxServers)
	}
	m.Forget(map[string]bool{"s7": true})
	if n := series(scrape(t, m), "mcpproxy_calls_total"); n != 2 {
		t.Errorf("%d series after all but one were removed, want it and the others", n)
	}
	m.Called("new", "ok", time.Millisecond)
	if n := series(scrape(t, m), `mcpproxy_calls_total{outcome="ok",server="new"}`); n != 1 {
		t.Error("there is no room for a new server")
	}
}

func TestMetrics_Concurrent(t *testing.T) {
	t.Parallel()
	m := New("", func() State { return State{} })
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 500 {
				m.Called(fmt.Sprint(i%2), "ok", time.Millisecond)
				m.Forget(map[string]bool{"0": true, "1": true})
			}
		})
	}
	wg.Wait()
	if !slices.Contains(scrape(t, m), `mcpproxy_calls_total{outcome="ok",server="0"} 1000`) {
		t.Error("calls were lost")
	}
}

func BenchmarkCalled(b *testing.B) {
	m := New("", func() State { return State{} })
	for b.Loop() {
		m.Called("a", "ok", time.Millisecond)
	}
}
