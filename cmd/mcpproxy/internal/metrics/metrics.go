// Package metrics exposes counters and histograms for Prometheus.
//
// Labels are names of configured servers, states and outcomes: no tool, no
// argument, nothing that an agent chose. What can be read at the moment of a
// scrape is read then; see [State].
package metrics

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	prefix     = "mcpproxy_"
	maxServers = 1024 // labels; servers beyond it are counted as others
	others     = "(others)"
)

// Histogram bounds in seconds: a call may take minutes, a search should not.
var (
	callBounds   = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}
	searchBounds = []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .25, 1}
)

// Metrics counts. Safe for concurrent use.
type Metrics struct {
	registry  *prometheus.Registry
	calls     *prometheus.CounterVec
	took      *prometheus.HistogramVec
	searches  prometheus.Histogram
	listings  prometheus.Counter
	truncated prometheus.Counter
	holds     prometheus.Counter

	servers sync.Map // name -> *server
	known   atomic.Int64
}

// server holds the metrics of one label, so that a call looks up one name.
type server struct {
	took     prometheus.Observer
	outcomes sync.Map // outcome -> prometheus.Counter
}

// New returns Metrics whose scrapes ask look for the state.
func New(version string, look func() State) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "calls_total", Help: "Calls of upstream tools, by server and outcome: ok, failed, cancelled, unsent because the server could not be reached, or refused.",
		}, []string{"server", "outcome"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "call_duration_seconds", Help: "Time of calls that were sent to a server.", Buckets: callBounds,
		}, []string{"server"}),
		searches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "search_duration_seconds", Help: "Time of searches for tools.", Buckets: searchBounds,
		}),
		listings:  counter("tool_listings_total", "Agents that listed the proxy's own tools."),
		truncated: counter("truncations_total", "Answers that were cut to tool_response_limit."),
		holds:     counter("holds_total", "Definitions that were held because they are new or changed."),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: prefix + "build_info", Help: "Always 1; the version is a label.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(m.calls, m.took, m.searches, m.listings, m.truncated, m.holds, build, state(look),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
}

// Handler answers a scrape.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Called counts a call; took is zero for one that was not sent. name is of a
// configured server, or empty where the agent named something else.
func (m *Metrics) Called(name, outcome string, took time.Duration) {
	label := m.label(name)
	s := m.server(label)
	c, ok := s.outcomes.Load(outcome)
	if !ok {
		c, _ = s.outcomes.LoadOrStore(outcome, m.calls.WithLabelValues(label, outcome))
	}
	c.(prometheus.Counter).Inc()
	if took > 0 {
		s.took.Observe(took.Seconds())
	}
}

// server returns the metrics of a label.
func (m *Metrics) server(label string) *server {
	if s, ok := m.servers.Load(label); ok {
		return s.(*server)
	}
	s, there := m.servers.LoadOrStore(label, &server{took: m.took.WithLabelValues(label)})
	if !there {
		m.known.Add(1)
	}
	return s.(*server)
}

// label is the name, unless there is none or there are too many.
func (m *Metrics) label(name string) string {
	if _, known := m.servers.Load(name); !known && (name == "" || m.known.Load() >= maxServers) {
		return others
	}
	return name
}

// Forget drops the series of servers that are not among names.
func (m *Metrics) Forget(names map[string]bool) {
	m.servers.Range(func(key, _ any) bool {
		name := key.(string)
		if name != others && !names[name] {
			m.servers.Delete(name)
			m.known.Add(-1)
			m.calls.DeletePartialMatch(prometheus.Labels{"server": name})
			m.took.DeletePartialMatch(prometheus.Labels{"server": name})
		}
		return true
	})
}

// Searched counts a search.
func (m *Metrics) Searched(took time.Duration) { m.searches.Observe(took.Seconds()) }

// Listed counts an agent that listed the proxy's own tools.
func (m *Metrics) Listed() { m.listings.Inc() }

// Truncated counts an answer that was cut.
func (m *Metrics) Truncated() { m.truncated.Inc() }

// Held counts a definition that was held.
func (m *Metrics) Held() { m.holds.Inc() }
