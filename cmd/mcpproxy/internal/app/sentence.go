package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"mcpproxy/embed"
	"mcpproxy/index"
	"mcpproxy/models"
)

// noModel as a wish keeps every sentence model out of memory: BM25 answers alone.
const noModel = "none"

// errLoaded is why a model that serves is not taken out.
var errLoaded = errors.New("model \"none\" takes effect at the next start")

// modelPatience bounds how long a command without an instance waits for vectors.
const modelPatience = 5 * time.Second

// sentence keeps the index's sentence model as the configuration says. A search
// never waits for it: the index gets a model when it is loaded. The name of the
// bundled one is "".
type sentence struct {
	root  string // folder of models
	index *index.Index
	log   *zap.Logger

	wanted  atomic.Pointer[string]
	changed chan struct{}
	fault   atomic.Pointer[string] // why the wanted one does not serve; nil if it does or may

	turn     sync.Mutex // one change at a time; guards what follows
	name     string     // of embedder
	embedder *embed.Hugot
}

func newSentence(root string, x *index.Index, log *zap.Logger, wanted string) *sentence {
	s := &sentence{root: root, index: x, log: log, changed: make(chan struct{}, 1)}
	s.wanted.Store(&wanted)
	return s
}

// want makes name the wish; run fulfils it. A wish that failed is tried again.
func (s *sentence) want(name string) {
	old := s.wanted.Swap(&name)
	if *old == name && s.fault.Load() == nil {
		return
	}
	s.fault.Store(nil)
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// run fulfils every wish until ctx ends. A new one ends the work for the one
// before.
func (s *sentence) run(ctx context.Context) error {
	for ctx.Err() == nil {
		turn, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.follow(turn)
		}()
		select {
		case <-s.changed:
		case <-ctx.Done():
		}
		cancel()
		<-done
	}
	return nil
}

// follow puts the wanted model in service, or else the bundled one.
func (s *sentence) follow(ctx context.Context) {
	s.turn.Lock()
	defer s.turn.Unlock()
	name := *s.wanted.Load()
	err := s.serve(ctx, name)
	if err == nil {
		s.fault.Store(nil)
		return
	}
	if ctx.Err() != nil {
		return
	}
	s.report(name, err)
	if name == "" || errors.Is(err, errLoaded) {
		return
	}
	if err := s.serve(ctx, ""); err != nil && ctx.Err() == nil {
		s.report("", err)
	}
}

func (s *sentence) report(name string, err error) {
	if *s.wanted.Load() != name && name != "" {
		return // no longer a wish
	}
	text := err.Error()
	if name != "" && name != noModel {
		text += "; the bundled model serves"
	}
	s.fault.Store(&text)
	s.log.Error("sentence model does not serve", zap.String("model", name), zap.Error(err))
}

// serve loads the model and hands it to the index. What served before goes on
// until the new one has all vectors.
func (s *sentence) serve(ctx context.Context, name string) error {
	switch {
	case s.embedder != nil && s.name == name, s.embedder == nil && name == noModel:
		return nil
	case name == noModel:
		return errLoaded
	}
	begin := time.Now()
	h, err := s.load(ctx, name)
	if err != nil {
		return err
	}
	s.log.Debug("sentence model is loaded", zap.String("model", h.Model().Name), zap.Duration("dur", time.Since(begin)))
	if err := s.index.Use(ctx, h); err != nil {
		return errors.Join(err, h.Close())
	}
	s.log.Info("sentence model in service", zap.String("model", h.Model().Name), zap.Duration("dur", time.Since(begin)))
	before := s.embedder
	s.embedder, s.name = h, name
	if before != nil {
		if err := before.Close(); err != nil {
			s.log.Warn("sentence model not released", zap.Error(err))
		}
	}
	debug.FreeOSMemory() // loading needs several times what stays
	return nil
}

// load returns the model, verified and ready.
func (s *sentence) load(ctx context.Context, name string) (*embed.Hugot, error) {
	dir, info, err := locateModel(s.root, name)
	if err != nil {
		return nil, err
	}
	h, err := embed.NewHugot(embed.HugotOptions{Dir: dir, Info: info})
	if err != nil {
		return nil, err
	}
	if err := h.Ready(ctx); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// locateModel returns the folder of a model whose files were verified just now.
// The bundled one is unpacked there.
func locateModel(root, name string) (string, models.Info, error) {
	if name == "" {
		m, err := models.Default()
		if err != nil {
			return "", models.Info{}, err
		}
		dir, err := unpack(m, filepath.Join(root, ".bundled"))
		return dir, m.Info, err
	}
	m, err := models.Own(root, name)
	if err == nil {
		err = m.Verify()
	}
	if err != nil {
		return "", models.Info{}, fmt.Errorf("model: %w", err)
	}
	return filepath.Join(root, name), m.Info, nil
}

// unpack returns m's own folder in dir and removes those of other versions.
func unpack(m models.Model, dir string) (string, error) {
	path, err := m.Materialize(dir)
	if err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("model %q: %w", m.Name, err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(path) {
			_ = os.RemoveAll(filepath.Join(dir, e.Name())) // another start tries again
		}
	}
	return path, nil
}

// BundledModel returns the bundled model without a data directory. release
// closes it and deletes the unpacked files.
func BundledModel(ctx context.Context) (e embed.Embedder, release func() error, err error) {
	dir, err := os.MkdirTemp("", "mcpproxy-model-")
	if err != nil {
		return nil, nil, err
	}
	h, err := (&sentence{root: dir}).load(ctx, "")
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return h, func() error { return errors.Join(h.Close(), os.RemoveAll(dir)) }, nil
}

// Close releases the model. The index is closed before.
func (s *sentence) Close() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.embedder == nil {
		return nil
	}
	return s.embedder.Close()
}

// awaitModel gives a command without an instance the answer that an instance
// would give: it loads the model and waits a while for missing vectors.
func (a *App) awaitModel(ctx context.Context) {
	if a.serving {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, modelPatience)
	defer cancel()
	a.sentence.follow(ctx)
	if err := a.index.WaitVectors(ctx); err != nil {
		a.log.Warn("vectors are missing", zap.Error(err))
	}
}
