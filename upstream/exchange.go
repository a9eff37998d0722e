package upstream

import (
	"context"
	"errors"
	"fmt"

	"mcpproxy/internal/hint"
	"mcpproxy/internal/tool"
)

// exchange is one request for an agent and what must be true when it goes out.
type exchange struct {
	id    tool.ID
	fresh func(*session) *freshness // of the listing that check reads
	check func(*view) error
	send  func(*session) error
}

// exchange waits for a slot and for a ready session whose listing covers the
// server's last word, checks and sends; again while nothing was sent.
func (s *server) exchange(ctx context.Context, x exchange) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-s.stopped:
		return errReplaced
	case <-ctx.Done():
		return fmt.Errorf("upstream %q is busy with %d calls: %w", s.spec.Name, cap(s.slots), context.Cause(ctx))
	}
	for {
		v, err := s.ready(ctx)
		if err != nil {
			return err
		}
		if fresh, err := s.settled(ctx, v, x.fresh(v.session)); err != nil {
			return err
		} else if !fresh {
			continue
		}
		if now := s.view.Load(); now.session != v.session {
			continue
		} else {
			v = now // its listing covers the server's last word
		}
		if err := x.check(v); err != nil {
			return fmt.Errorf("%s: %w", x.id, err)
		}
		if err = x.send(v.session); !errors.Is(err, errNotSent) { // else ready will wait for the next session
			return s.explain(err)
		}
	}
}

// explain says what a failed request means for whoever made it.
func (s *server) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrRights), errors.Is(err, ErrLogin):
		s.loginWanted()
		return fmt.Errorf("upstream %q: %w; the call was not run; hint: %s", s.spec.Name, err, hint.Command("auth", "login", s.spec.Name))
	case errors.Is(err, ErrSessionLost):
		return fmt.Errorf("upstream %q: %w; the call was not run, send it again", s.spec.Name, err)
	case errors.Is(err, ErrLost):
		return fmt.Errorf("upstream %q: %w; whether the call was run is not known", s.spec.Name, err)
	default:
		return fmt.Errorf("upstream %q: %w", s.spec.Name, err)
	}
}
