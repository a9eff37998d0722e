package main

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"

	"mcpproxy/internal/client"
)

// View draws the tray. Draw may be called from any goroutine, one call at a
// time.
type View interface {
	Draw(face Face, tooltip string, items []Item)
}

const (
	retry    = time.Second      // between looks for an instance
	patience = 30 * time.Second // that one which serve started waits for another
	settle   = 100 * time.Millisecond
	noteFor  = time.Minute
)

// program follows the instance of one data directory and draws what it sees.
type program struct {
	desk    Desk
	view    View
	version string
	// dial finds the running instance.
	dial func() (*client.Client, error)
	// follow makes the program end when no instance runs for a while and nobody
	// stopped it from here: serve has started the tray, and is gone.
	follow bool

	changed chan struct{} // look again

	mu      sync.Mutex
	state   State
	stopped bool // from this menu
	drawn   []Item
	face    Face
}

func newProgram(desk Desk, view View, dial func() (*client.Client, error)) *program {
	return &program{desk: desk, view: view, dial: dial, changed: make(chan struct{}, 1), state: State{Opened: map[string]string{}}}
}

// run follows instances, as they come and go, until ctx ends or, with follow,
// none is left.
func (p *program) run(ctx context.Context) {
	p.set(func(s *State) { s.Version, s.AtLogin = p.version, p.desk.AtLogin() })
	lastSeen := time.Now()
	for ctx.Err() == nil {
		c, err := p.dial()
		if err == nil {
			p.attend(ctx, c)
			c.Close()
			lastSeen = time.Now()
		}
		p.set(func(s *State) { s.Running, s.Waiting = false, nil })
		if p.follow && !p.wasStopped() && time.Since(lastSeen) > patience {
			return
		}
		wait(ctx, retry)
	}
}

// attend draws one instance until it is gone.
func (p *program) attend(ctx context.Context, c *client.Client) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer cancel()
		_ = c.Events(ctx, "", func(client.Event) { p.lookAgain() })
	})
	for ctx.Err() == nil {
		if p.look(ctx, c) != nil {
			break
		}
		select {
		case <-p.changed:
			wait(ctx, settle) // a burst is one look
		case <-ctx.Done():
		}
	}
	cancel()
	wg.Wait()
}

func (p *program) lookAgain() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// look reads everything that the menu shows.
func (p *program) look(ctx context.Context, c *client.Client) error {
	st, err := c.Status(ctx)
	if err != nil {
		return err
	}
	waiting, err := c.Waiting(ctx)
	if err != nil {
		return err
	}
	p.set(func(s *State) {
		s.Running, s.Status, s.Waiting, s.AtLogin = true, st, waiting, p.desk.AtLogin()
		p.stopped = false
	})
	return nil
}

// set changes the state and draws it if the menu differs.
func (p *program) set(change func(*State)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.state)
	items, face := Menu(p.state), FaceOf(p.state)
	if face == p.face && reflect.DeepEqual(items, p.drawn) {
		return
	}
	p.drawn, p.face = items, face
	p.view.Draw(face, "mcpproxy: "+items[0].Title, items)
}

func (p *program) wasStopped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopped
}

// click does what an item asks for and notes for a minute why it failed.
func (p *program) click(ctx context.Context, a Action) {
	err := p.perform(ctx, a)
	if err == nil || errors.Is(err, context.Canceled) {
		p.set(func(s *State) { s.Note = "" })
		return
	}
	note := err.Error()
	p.set(func(s *State) { s.Note = note })
	wait(ctx, noteFor)
	p.set(func(s *State) {
		if s.Note == note {
			s.Note = ""
		}
	})
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
