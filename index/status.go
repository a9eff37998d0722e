package index

import "math"

// Status is what [Index.Status] tells.
type Status struct {
	Tools    int            `json:"tools"`
	Servers  map[string]int `json:"servers"` // tools by server
	Vectors  int            `json:"vectors"` // tools that have theirs
	Made     int            `json:"made"`    // vectors of Next, else of Model, that were made; searches see them in steps
	Model    string         `json:"model,omitempty"`
	Next     string         `json:"next_model,omitempty"` // its vectors are being made, while Model serves
	Format   int            `json:"format"`
	Rebuilt  string         `json:"rebuilt,omitempty"` // why opening made everything anew
	BuildMS  float64        `json:"build_ms"`          // what opening took
	Searches int64          `json:"searches"`
}

// Status tells what the index holds.
func (x *Index) Status() Status {
	snap := x.snap.Load()
	s := Status{
		Tools: snap.count, Servers: make(map[string]int, len(snap.segments)), Format: Format, Rebuilt: x.rebuilt,
		BuildMS: math.Round(x.built.Seconds()*1e6) / 1e3, Searches: x.searches.Load(),
	}
	for _, seg := range snap.segments {
		s.Servers[seg.server] = len(seg.docs)
	}
	if w := x.worker.Load(); w != nil {
		s.Model = w.model.Name
		s.Vectors = snap.count - w.vectors.Load().lacking(snap)
		s.Made = max(s.Vectors, min(int(w.made.Load()), snap.count))
	}
	if w := x.next.Load(); w != nil {
		s.Next = w.model.Name
		s.Made = min(int(w.made.Load()), snap.count)
	}
	return s
}
