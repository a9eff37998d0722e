package metrics

import "github.com/prometheus/client_golang/prometheus"

// State is what a scrape sees of the moment.
type State struct {
	Servers map[string]string // state of each configured server
	States  []string          // that there are, so that none vanishes from the output
	Up      string            // the state in which a server serves
	Tools   map[string]int    // searchable, by server
	Held    map[string]int    // waiting for a person, by server
	Vectors int               // searchable tools that have theirs
	Made    int               // vectors that were made, of the next model if there is one
	Model   string            // in service; empty: BM25 alone
}

// state reads State at each scrape.
type state func() State

var (
	descServers = prometheus.NewDesc(prefix+"upstreams", "Configured servers, by state.", []string{"state"}, nil)
	descUp      = prometheus.NewDesc(prefix+"upstream_up", "1 for a server that answers calls.", []string{"server"}, nil)
	descTools   = prometheus.NewDesc(prefix+"index_tools", "Tools that agents can find, by server.", []string{"server"}, nil)
	descHeld    = prometheus.NewDesc(prefix+"held_tools", "Definitions that wait for a person, by server.", []string{"server"}, nil)
	descVectors = prometheus.NewDesc(prefix+"index_vectors", "Tools that have their vector; below index_tools while they are being made.", nil, nil)
	descMade    = prometheus.NewDesc(prefix+"embedding_made", "Vectors that were made, of the next sentence model if one is being prepared.", nil, nil)
	descModel   = prometheus.NewDesc(prefix+"model_info", "Always 1; the sentence model in service is a label.", []string{"model"}, nil)
)

// Describe implements [prometheus.Collector].
func (s state) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descServers, descUp, descTools, descHeld, descVectors, descMade, descModel} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (s state) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	now := s()
	counts := map[string]int{}
	for _, name := range now.States {
		counts[name] = 0
	}
	for name, st := range now.Servers {
		counts[st]++
		up := 0.0
		if st == now.Up {
			up = 1
		}
		gauge(descUp, up, name)
	}
	for name, n := range counts {
		gauge(descServers, float64(n), name)
	}
	for name, n := range now.Tools {
		gauge(descTools, float64(n), name)
	}
	for name, n := range now.Held {
		gauge(descHeld, float64(n), name)
	}
	gauge(descVectors, float64(now.Vectors))
	gauge(descMade, float64(now.Made))
	if now.Model != "" {
		gauge(descModel, 1, now.Model)
	}
}
