package app

import (
	"encoding/json"
	"testing"

	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

// The drift orders a review: a typo moves less than another purpose.
func TestApp_Drift(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	delete(r.top, "model")
	r.start()
	r.wait("the sentence model", func() error {
		vectors, err := r.app.sentence.embed(t.Context(), []string{"x"})
		if len(vectors) == 0 && err == nil {
			err = errNotYet
		}
		return err
	})
	of := func(was, is string) float64 {
		t.Helper()
		define := func(text string) json.RawMessage {
			raw, err := json.Marshal(map[string]any{"name": "t", "description": text, "inputSchema": map[string]any{"type": "object"}})
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
		now := tool.Tool{ID: tool.ID{Server: "s", Name: "t"}, Raw: define(is)}
		record := quarantine.Record{Tool: now, Hash: now.Hash(), Previous: define(was)}
		d := r.app.drift(t.Context(), record)
		if again := r.app.drift(t.Context(), record); d == nil || again == nil || *d != *again {
			t.Fatalf("drift of %q = %v, then %v", is, d, again)
		}
		return *d
	}
	same := of("Lists the issues of a repository", "Lists the  issues of a repository")
	typo := of("Lists the issues of a repository", "Lists the open issues of a repository")
	other := of("Lists the issues of a repository", "Transfers money to a bank account abroad")
	if same > .01 || typo <= same || other <= typo || other < .3 {
		t.Errorf("drift: layout %v, wording %v, another purpose %v", same, typo, other)
	}
}
