package app

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"mcpproxy/embed"
	"mcpproxy/internal/client"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

// maxDrifts bounds the cache; beyond it starts anew.
const maxDrifts = 1000

// drifts remembers how far the meaning of definitions moved. The zero value is
// ready to use.
type drifts struct {
	mu sync.Mutex
	by map[[2]tool.Hash]float64
}

// reviewPage is the page for a person, with how far each changed text drifted.
func (a *App) reviewPage(ctx context.Context, p quarantine.Page) client.Waiting {
	dto := pageDTO(p)
	for _, id := range a.gate.Blocked(p.Server) {
		dto.Blocked = append(dto.Blocked, id.Target())
	}
	for i, r := range p.Tools {
		if len(r.Previous) > 0 {
			dto.Tools[i].Drift = a.drift(ctx, r)
		}
	}
	return dto
}

// drift is 1 - cosine between the meaning of the approved definition and of the
// one that waits: 0 says the same, 1 something unrelated. It orders a review and
// decides nothing; nil where no sentence model serves.
func (a *App) drift(ctx context.Context, r quarantine.Record) *float64 {
	key := [2]tool.Hash{tool.Tool{ID: r.Tool.ID, Raw: r.Previous}.Hash(), r.Hash}
	a.drifts.mu.Lock()
	known, found := a.drifts.by[key]
	a.drifts.mu.Unlock()
	if found {
		return &known
	}
	a.awaitModel(ctx)
	vectors, err := a.sentence.embed(ctx, []string{wordsOf(r.Previous), wordsOf(r.Tool.Raw)})
	if err != nil || len(vectors) != 2 {
		return nil
	}
	cosine := 0.0
	for i, x := range vectors[0] {
		cosine += float64(x) * float64(vectors[1][i])
	}
	d := math.Round(1000*max(1-cosine, 0)) / 1000
	a.drifts.mu.Lock()
	defer a.drifts.mu.Unlock()
	if a.drifts.by == nil || len(a.drifts.by) >= maxDrifts {
		a.drifts.by = map[[2]tool.Hash]float64{}
	}
	a.drifts.by[key] = d
	return &d
}

// embed returns vectors of the model in service, none while there is no model or
// it is being exchanged.
func (s *sentence) embed(ctx context.Context, texts []string) ([][]float32, error) {
	if !s.turn.TryLock() {
		return nil, nil
	}
	defer s.turn.Unlock()
	if s.embedder == nil {
		return nil, nil
	}
	return s.embedder.Embed(ctx, embed.Passage, texts)
}

// wordsOf is what a definition says: its texts and the names of its parameters,
// without what every schema has.
func wordsOf(definition json.RawMessage) string {
	var v any
	if json.Unmarshal(definition, &v) != nil {
		return string(definition)
	}
	return strings.Join(words("", v), " ")
}

// mute are members whose text means nothing to a reader.
var mute = []string{"type", "$ref", "$schema", "$id", "format", "pattern", "required", "mimeType"}

func words(key string, v any) (list []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, e := range v {
			list = append(list, words(key, e)...)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if key == "properties" {
				list = append(list, k)
			}
			if !slices.Contains(mute, k) || key == "properties" {
				list = append(list, words(k, v[k])...)
			}
		}
	}
	return list
}
