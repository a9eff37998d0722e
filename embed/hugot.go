package embed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/knights-analytics/hugot"
	"github.com/knights-analytics/hugot/backends"
	"github.com/knights-analytics/hugot/options"
	"github.com/knights-analytics/hugot/pipelines"

	"mcpproxy/models"
)

// Errors of a Hugot, told apart with errors.Is.
var (
	ErrClosed = errors.New("embedder is closed")
	ErrVector = errors.New("the model gave no usable vector") // zero, NaN, or of another length than the model's
	ErrModel  = errors.New("not a sentence model that can be run here")
)

// Shapes that are compiled once, at load: every other batch is padded to one.
var (
	sequenceBuckets = []int{16, 32, 64, 128}
	batchBuckets    = []int{1, 8}
)

const (
	maxTokens = 128
	maxBatch  = 8
)

// HugotOptions says which model a Hugot runs.
type HugotOptions struct {
	Dir  string      // holds model.onnx, tokenizer.json and config.json; its digests are the caller's to verify
	Info models.Info // what Model answers
}

// Hugot runs an ONNX sentence model in pure Go. Queries go before passages: a
// batch of passages starts only when no query is under way.
type Hugot struct {
	info   models.Info
	ctx    context.Context // of the session; ends with Close
	stop   context.CancelFunc
	loaded chan struct{} // closed when session, pipeline and err are set

	session  *hugot.Session
	pipeline *pipelines.FeatureExtractionPipeline
	tail     []uint32 // the mark that the tokenizer puts at every end, if any
	err      error

	work sync.WaitGroup
	// Queries hold turn for reading while they run; a batch of passages takes and
	// releases it for writing before it starts.
	turn sync.RWMutex
	mu   sync.Mutex // guards closed together with work.Add
	done bool
}

// NewHugot starts to load the model and returns at once; Embed and Ready wait
// for it. It opens no socket.
func NewHugot(opt HugotOptions) (*Hugot, error) {
	if opt.Dir == "" || opt.Info.Dim <= 0 {
		return nil, errors.New("hugot: a model's folder and dimension are needed")
	}
	ctx, stop := context.WithCancel(context.Background())
	h := &Hugot{info: opt.Info, ctx: ctx, stop: stop, loaded: make(chan struct{})}
	h.work.Go(func() {
		defer close(h.loaded)
		if err := h.load(opt.Dir); err != nil {
			h.err = fmt.Errorf("model %q: %w", opt.Info.Name, err)
		}
	})
	return h, nil
}

// Model implements Embedder.
func (h *Hugot) Model() models.Info { return h.info }

// Ready waits until the model is loaded and says why it cannot be.
func (h *Hugot) Ready(ctx context.Context) error {
	select {
	case <-h.loaded:
		return h.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close waits for calls under way. Later ones return ErrClosed.
func (h *Hugot) Close() error {
	h.mu.Lock()
	already := h.done
	h.done = true
	h.mu.Unlock()
	if already {
		return nil
	}
	h.work.Wait()
	defer h.stop()
	if h.session == nil {
		return nil
	}
	return h.session.Destroy()
}

// Embed implements Embedder. Both kinds are embedded alike.
func (h *Hugot) Embed(ctx context.Context, kind Kind, texts []string) ([][]float32, error) {
	if err := h.begin(); err != nil {
		return nil, err
	}
	defer h.work.Done()
	if err := h.Ready(ctx); err != nil {
		return nil, err
	}
	cleaned := make([]string, len(texts))
	order := make([]int, len(texts))
	for i, text := range texts {
		cleaned[i], order[i] = readable(text), i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(cleaned[a]), len(cleaned[b])) })
	vectors := make([][]float32, len(texts))
	for picks := range slices.Chunk(order, maxBatch) {
		if err := h.embedBatch(ctx, kind, picks, cleaned, vectors); err != nil {
			return nil, err
		}
	}
	return vectors, nil
}

func (h *Hugot) begin() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.done {
		return ErrClosed
	}
	h.work.Add(1)
	return nil
}

// embedBatch fills vectors[i] for every i of picks.
func (h *Hugot) embedBatch(ctx context.Context, kind Kind, picks []int, texts []string, vectors [][]float32) error {
	if kind == Query {
		h.turn.RLock()
		defer h.turn.RUnlock()
	} else {
		h.turn.Lock()
		h.turn.Unlock() //nolint:staticcheck // waits for the queries under way
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	batch := make([]string, len(picks))
	for i, pick := range picks {
		batch[i] = texts[pick]
	}
	found, err := h.run(ctx, batch)
	if err != nil {
		return fmt.Errorf("model %q: %w", h.info.Name, err)
	}
	for i, pick := range picks {
		vectors[pick] = found[i]
	}
	return nil
}

// run embeds at most maxBatch texts.
func (h *Hugot) run(ctx context.Context, texts []string) (_ [][]float32, err error) {
	batch := backends.NewBatch(len(texts))
	defer func() { err = errors.Join(err, batch.Destroy()) }()
	defer refuse(&err)
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			texts[i] = "?"
		}
	}
	model := h.pipeline.Model
	backends.TokenizeInputs(batch, model.Tokenizer, texts)
	h.truncate(batch)
	if err := backends.CreateInputTensors(batch, model, h.pipeline.Runtime); err != nil {
		return nil, err
	}
	if err := backends.RunSessionOnBatch(ctx, batch, h.pipeline.BasePipeline); err != nil {
		return nil, err
	}
	return h.pool(batch.OutputValues[h.pipeline.OutputIndex])
}

// truncate leaves every input at most the tokens that the model can take, its
// end mark included.
func (h *Hugot) truncate(batch *backends.PipelineBatch) {
	limit := maxTokens
	if n := h.pipeline.Model.MaxPositionEmbeddings; n > 0 {
		limit = min(limit, n)
	}
	batch.MaxSequenceLength = 1
	for i := range batch.Input {
		in := &batch.Input[i]
		if len(in.TokenIDs) > limit {
			in.TokenIDs = append(in.TokenIDs[:limit-len(h.tail)], h.tail...)
			in.MaxAttentionIndex = limit - 1
		}
		batch.MaxSequenceLength = max(batch.MaxSequenceLength, len(in.TokenIDs))
	}
}

// pool turns the model's output, one vector a text or one a token, into unit
// vectors.
func (h *Hugot) pool(output any) ([][]float32, error) {
	vectors, ok := output.([][]float32)
	if tokens, perToken := output.([][][]float32); perToken {
		ok = true
		for _, rows := range tokens {
			vectors = append(vectors, sum(rows, h.info.Dim))
		}
	}
	if !ok {
		return nil, fmt.Errorf("output of type %T: %w", output, ErrVector)
	}
	for _, v := range vectors {
		if len(v) != h.info.Dim || !normalise(v) {
			return nil, ErrVector
		}
	}
	return vectors, nil
}

func sum(rows [][]float32, dim int) []float32 {
	total := make([]float32, dim)
	for _, row := range rows {
		for i := range min(dim, len(row)) {
			total[i] += row[i]
		}
	}
	return total
}

// normalise scales v to length 1 and reports whether that is possible.
func normalise(v []float32) bool {
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	length := math.Sqrt(square)
	if !(length > 1e-9) || math.IsInf(length, 0) {
		return false
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / length)
	}
	return true
}

// refuse turns a panic about foreign weights into an error.
func refuse(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %v", ErrModel, r)
	}
}

// load opens the session and compiles every shape, so that no call waits for it.
func (h *Hugot) load(dir string) (err error) {
	defer refuse(&err)
	session, err := hugot.NewGoSession(h.ctx,
		options.WithGoMLXSequenceBuckets(sequenceBuckets), options.WithGoMLXBatchBuckets(batchBuckets))
	if err != nil {
		return err
	}
	h.session = session
	h.pipeline, err = hugot.NewPipeline(session, hugot.FeatureExtractionConfig{Name: "embed", ModelPath: dir})
	if err != nil {
		return err
	}
	if err := h.checkShape(h.pipeline.Output.Dimensions); err != nil {
		return err
	}
	probe := backends.NewBatch(1)
	backends.TokenizeInputs(probe, h.pipeline.Model.Tokenizer, []string{""})
	if marks := probe.Input[0].TokenIDs; len(marks) > 0 {
		h.tail = marks[len(marks)-1:]
	}
	for _, size := range batchBuckets {
		for _, length := range sequenceBuckets {
			if _, err := h.run(h.ctx, slices.Repeat([]string{strings.Repeat("a ", length-2)}, size)); err != nil {
				return fmt.Errorf("first run: %w", err)
			}
		}
	}
	return nil
}
