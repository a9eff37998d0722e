package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"go.uber.org/zap"

	"mcpproxy/internal/tool"
)

const (
	// maxAdvice bounds the instructions of a server; longer ones are left out.
	maxAdvice = 64 << 10
	// onceTime is how long one list besides tools may take while a person waits.
	onceTime = 10 * time.Second
)

// listOthers lists everything that is no tool: what the server announced of
// prompts, resources and resource templates, each for at most limit, and its
// instructions. A list that fails is left out and noted, because the others are
// good without it. The error is why the session is of no more use.
func (s *session) listOthers(ctx context.Context, server string, limit time.Duration) (*listing, error) {
	all := &listing{index: map[tool.ID]entry{}}
	var notes []string
	for _, from := range otherSources {
		if !s.has(from.capability) {
			continue
		}
		l := newLister(server, from.source)
		if err := s.pages(ctx, l, limit); err != nil {
			var rpc *RPCError
			switch {
			case s.loss() != nil:
				return nil, s.loss()
			case ctx.Err() != nil:
				return nil, context.Cause(ctx)
			case errors.As(err, &rpc) && rpc.Code == mcp.METHOD_NOT_FOUND:
			default:
				notes = append(notes, fmt.Sprintf("its %s cannot be listed: %v", from.plural, err))
			}
			continue
		}
		got := l.done()
		for _, t := range got.tools {
			all.add(t)
		}
		if got.note != "" {
			notes = append(notes, from.plural+": "+got.note)
		}
	}
	if note := s.advise(all, server); note != "" {
		notes = append(notes, note)
	}
	all.note = strings.Join(notes, "; ")
	return all, nil
}

// advise adds the server's instructions to l, as {"instructions":TEXT} with the
// bytes of TEXT as they were sent, or says why not.
func (s *session) advise(l *listing, server string) (note string) {
	var text string
	if len(s.advice) == 0 || json.Unmarshal(s.advice, &text) != nil || strings.TrimSpace(text) == "" {
		return ""
	}
	if len(s.advice) > maxAdvice {
		return fmt.Sprintf("its instructions are left out: over %d KiB", maxAdvice>>10)
	}
	t, err := tool.DecodeAs(tool.Instructions, server, fmt.Appendf(nil, `{"instructions":%s}`, s.advice))
	if err != nil {
		return err.Error()
	}
	l.add(t)
	return ""
}

// beside is the state of the loop that lists what is no tool.
type beside struct {
	used   *atomic.Bool  // a prompt or resource was asked for since the last listing
	nudge  chan struct{} // used became true
	relist chan struct{} // list_changed came
}

func newBeside() beside {
	return beside{used: new(atomic.Bool), nudge: make(chan struct{}, 1), relist: make(chan struct{}, 1)}
}

// mark makes the loop list the server more often.
func (b beside) mark() {
	if !b.used.Load() && !b.used.Swap(true) {
		poke(b.nudge)
	}
}

// followOthers keeps the listing of what is no tool fresh beside the loop of the
// tools, so that a server that is slow or broken there keeps its tools. The
// function that it returns ends that and waits for it.
func (s *server) followOthers(ctx context.Context, sess *session) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { s.serveOthers(ctx, sess) })
	return func() {
		cancel()
		wg.Wait()
	}
}

func (s *server) serveOthers(ctx context.Context, sess *session) {
	now := time.Now()
	plan := schedule{t: s.opt.Timing, last: now, early: now} // once at once
	if sess.transport != Stdio {                             // see serve
		defer time.AfterFunc(s.opt.Timing.RelistEarly, func() { poke(s.beside.relist) }).Stop()
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(time.Until(plan.due(s.beside.used.Load())))
		select {
		case <-ctx.Done():
			return
		case <-sess.gone:
			return
		case <-s.beside.relist:
			plan.changed = true
		case <-s.beside.nudge:
		case <-timer.C:
			plan.begin(time.Now())
			s.beside.used.Store(false)
			began := sess.current.begin()
			got, err := sess.listOthers(ctx, s.spec.Name, s.opt.Timing.List)
			if err != nil {
				return // the loop of the tools sees it too
			}
			s.showOthers(got)
			sess.current.end(began)
			if !sess.has("prompts") && !sess.has("resources") {
				return // instructions stay what they are until the session ends
			}
		}
	}
}

// showOthers makes got what the world sees, if it differs.
func (s *server) showOthers(got *listing) {
	if v := s.view.Load(); keep(v.others, got) == v.others {
		return
	}
	if got.note != "" {
		s.log.Warn("list", zap.String("err", got.note))
	}
	s.show(func(v *view) { v.others = keep(v.others, got) })
}
