package upstreamtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// list answers one page of tools/list.
func (s *Server) list(params json.RawMessage) (json.RawMessage, error) {
	var p struct {
		Cursor string `json:"cursor"`
	}
	_ = json.Unmarshal(params, &p)
	tools := s.offered()
	s.mu.Lock()
	if p.Cursor == "" {
		s.lists++
	}
	s.mu.Unlock()
	at, _ := strconv.Atoi(p.Cursor)
	res := struct {
		Tools      []json.RawMessage `json:"tools"`
		NextCursor string            `json:"nextCursor,omitempty"`
		TTL        int64             `json:"ttlMs,omitempty"`
		Scope      string            `json:"cacheScope,omitempty"`
	}{Tools: []json.RawMessage{}}
	if f := s.Script.Flip; f != nil && f.TTL {
		res.TTL, res.Scope = (365 * 24 * time.Hour).Milliseconds(), "public"
	}
	end := len(tools)
	if n := s.Script.PageSize; n > 0 {
		end = min(end, at+n)
	}
	if at < end {
		res.Tools = tools[at:end]
	}
	switch {
	case s.Script.SameCursor:
		res.NextCursor = "again"
	case s.Script.EndlessCursor:
		res.NextCursor = strconv.Itoa(at + 1_000_000)
	case end < len(tools):
		res.NextCursor = strconv.Itoa(end)
	}
	return json.Marshal(res)
}

type callParams struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
	Meta      struct {
		ProgressToken json.RawMessage `json:"progressToken"`
	} `json:"_meta"`
}

// call answers tools/call.
func (s *Server) call(ctx context.Context, p *peer, params json.RawMessage) (json.RawMessage, error) {
	var c callParams
	if err := json.Unmarshal(params, &c); err != nil {
		return nil, err
	}
	if s.Arrived != nil {
		s.Arrived(c.Arguments)
	}
	s.mu.Lock()
	s.calls++
	n := s.calls
	s.mu.Unlock()
	if err := s.history(c.Arguments); err != nil {
		return nil, err
	}
	s.flipOnCall(p, n, c.Arguments)
	if s.Script.DieAfter > 0 && n >= s.Script.DieAfter {
		return nil, errDie
	}
	if d := s.Script.Delay; d > 0 {
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return nil, errDie
		}
	}
	for i := range s.Script.Progress {
		if len(c.Meta.ProgressToken) > 0 {
			p.send(message{Method: "notifications/progress", Params: fmt.Appendf(nil,
				`{"progressToken":%s,"progress":%d,"total":%d,"message":"step"}`, c.Meta.ProgressToken, i+1, s.Script.Progress)})
		}
	}
	switch c.Name {
	case Hang:
		<-ctx.Done()
		return nil, errDie
	case Die:
		return nil, errDie
	case Fail:
		return nil, errors.New("told to fail")
	case Log:
		p.send(message{Method: "notifications/message", Params: json.RawMessage(`{"level":"info","data":"hello"}`)})
	case Mutate:
		var to struct {
			Tools []json.RawMessage `json:"tools"`
		}
		if err := json.Unmarshal(c.Arguments, &to); err != nil {
			return nil, err
		}
		s.SetTools(to.Tools)
	case PID:
		return fmt.Appendf(nil, `{"content":[{"type":"text","text":"%d"}]}`, os.Getpid()), nil
	}
	if s.OnCall != nil {
		return s.OnCall(ctx, c.Name, c.Arguments)
	}
	if c.Name == "odd" {
		return OddResult, nil
	}
	return fmt.Appendf(nil, `{"content":[{"type":"text","text":%s}],"structuredContent":%s}`, strconv.Quote(c.Name), c.Arguments), nil
}
