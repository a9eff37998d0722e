package index

import (
	"context"
	"fmt"
	"maps"

	"mcpproxy/embed"
)

// wordBatch is how many words go to the embedder at once.
const wordBatch = 64

// recordOfWord returns the key under which the vector of w is stored, made by
// the model of digest.
func recordOfWord(w word, digest string) string { return modelPrefix(digest) + "w:" + w.Value() }

// embedWords makes the vectors of the words that the current snapshot has and
// words lacks. What the model cannot tell about gets an empty one.
func (w *worker) embedWords(ctx context.Context) error {
	if !w.model.Words {
		return nil
	}
	for {
		var batch []word
		seen := make(map[word]bool)
		for d := range w.snap().all {
			for _, one := range d.words {
				if w.words[one] == nil && !seen[one] && len(batch) < wordBatch {
					seen[one] = true
					batch = append(batch, one)
				}
			}
			if len(batch) == wordBatch {
				break
			}
		}
		if len(batch) == 0 {
			return nil
		}
		if err := w.embedBatchOfWords(ctx, batch); err != nil {
			return err
		}
	}
}

func (w *worker) embedBatchOfWords(ctx context.Context, batch []word) error {
	texts := make([]string, len(batch))
	for i, one := range batch {
		texts[i] = one.Value()
	}
	made, err := w.vectorsOf(ctx, embed.Passage, texts)
	if err != nil { // one of them, most likely; each alone
		made = make([][]float32, len(texts))
		for i, text := range texts {
			made[i] = []float32{}
			if one, err := w.vectorsOf(ctx, embed.Passage, []string{text}); err == nil {
				made[i] = one[0]
			}
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("embed: %w", ctx.Err())
	}
	put := make(map[string]Embedding, len(batch))
	for i, one := range batch {
		w.words[one] = made[i]
		put[recordOfWord(one, w.model.Digest)] = newEmbedding(made[i])
	}
	w.keep(put)
	return nil
}

// vectorsOf returns one vector of the model's length for each text.
func (w *worker) vectorsOf(ctx context.Context, kind embed.Kind, texts []string) ([][]float32, error) {
	made, err := w.embedder.Embed(ctx, kind, texts)
	if err != nil {
		return nil, err
	}
	if len(made) != len(texts) {
		return nil, fmt.Errorf("embedder gave %d vectors for %d texts", len(made), len(texts))
	}
	for _, vector := range made {
		if len(vector) != w.model.Dim {
			return nil, fmt.Errorf("embedder gave a vector of %d numbers, its model has %d", len(vector), w.model.Dim)
		}
	}
	return made, nil
}

// ask returns the vector of a request and fills a.asked with those of its words:
// from the table where a tool has the word too, else made together with the
// request's own.
func (w *worker) ask(ctx context.Context, text string, table *wordTable, a *arms) ([]float32, error) {
	texts := []string{text}
	var at []int // a.asked that texts[1:] are for
	a.asked = nil
	for _, g := range a.request.groups {
		if len(table.rows) == 0 || len(a.asked) == maxAsked {
			break
		}
		if g.compound || g.function {
			continue
		}
		q := asked{weight: float64(g.weight * idf(a.snap.count, len(g.variants[0].postings)))}
		if n, have := table.lookUp(g.word); have {
			q.vector = table.rows[n]
		} else {
			at = append(at, len(a.asked))
			texts = append(texts, g.word)
		}
		a.asked = append(a.asked, q)
	}
	made, err := w.vectorsOf(ctx, embed.Query, texts)
	if err != nil && len(texts) > 1 { // a word without a vector fails them all
		if made, err = w.vectorsOf(ctx, embed.Query, texts[:1]); err == nil {
			a.asked, at = withVector(a.asked), nil
		}
	}
	if err != nil {
		a.asked = nil
		return nil, err
	}
	for i, n := range at {
		a.asked[n].vector = made[i+1]
	}
	return made[0], nil
}

// withVector drops the words that have none.
func withVector(words []asked) []asked {
	var kept []asked
	for _, q := range words {
		if q.vector != nil {
			kept = append(kept, q)
		}
	}
	return kept
}

// forgetWords drops vectors of words that no tool has when they outnumber those
// in use.
func (w *worker) forgetWords() {
	used := make(map[word]bool, len(w.words))
	for d := range w.snap().all {
		for _, one := range d.words {
			used[one] = true
		}
	}
	if len(w.words) > 2*len(used)+spareEmbeddings {
		maps.DeleteFunc(w.words, func(one word, _ []float32) bool { return !used[one] })
	}
}
