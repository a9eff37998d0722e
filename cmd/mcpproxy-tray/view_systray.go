//go:build tray

package main

import (
	"context"
	"sync"

	"github.com/getlantern/systray"
)

// show runs the tray on the main goroutine until ctx ends. The library has one
// tray for the whole process.
func show(ctx context.Context, cancel context.CancelFunc, build func(View) *program) error {
	var wg sync.WaitGroup
	ready := func() {
		v := &systrayView{ctx: ctx, root: &slot{}}
		p := build(v)
		v.click = p.click
		wg.Go(func() {
			defer cancel()
			p.run(ctx)
		})
	}
	defer context.AfterFunc(ctx, systray.Quit)()
	systray.Run(ready, cancel)
	cancel()
	wg.Wait()
	return nil
}

// systrayView keeps one native item for each place in the menu: the library can
// neither remove nor move items, so a place that is not used is hidden.
type systrayView struct {
	ctx   context.Context // of the program; clicks end with it
	click func(context.Context, Action)
	root  *slot
	face  Face
}

// slot is one place.
type slot struct {
	native   *systray.MenuItem // nil for the root and for separators
	shown    Item
	children []*slot

	mu sync.Mutex
	do Action
}

// Draw implements [View].
func (v *systrayView) Draw(face Face, tooltip string, items []Item) {
	if face != v.face {
		systray.SetIcon(iconOf(face))
		v.face = face
	}
	systray.SetTooltip(tooltip)
	v.fill(v.root, items)
}

// fill makes the places below parent show items.
func (v *systrayView) fill(parent *slot, items []Item) {
	for i, item := range items {
		if i == len(parent.children) {
			parent.children = append(parent.children, v.add(parent, item))
		}
		s := parent.children[i]
		if s.native == nil {
			continue
		}
		s.update(item)
		v.fill(s, item.Children)
	}
	for _, s := range parent.children[min(len(items), len(parent.children)):] {
		if s.native != nil {
			s.native.Hide()
			s.shown = Item{}
		}
	}
}

func (v *systrayView) add(parent *slot, item Item) *slot {
	if item.Separator {
		systray.AddSeparator()
		return &slot{}
	}
	s := &slot{}
	switch {
	case parent.native == nil && item.Checkbox:
		s.native = systray.AddMenuItemCheckbox(item.Title, item.Tooltip, item.Checked)
	case parent.native == nil:
		s.native = systray.AddMenuItem(item.Title, item.Tooltip)
	case item.Checkbox:
		s.native = parent.native.AddSubMenuItemCheckbox(item.Title, item.Tooltip, item.Checked)
	default:
		s.native = parent.native.AddSubMenuItem(item.Title, item.Tooltip)
	}
	go v.listen(s) // ends with the process: the library never closes the channel
	return s
}

func (v *systrayView) listen(s *slot) {
	for range s.native.ClickedCh {
		if v.ctx.Err() != nil {
			return
		}
		s.mu.Lock()
		do := s.do
		s.mu.Unlock()
		go v.click(v.ctx, do) // a login waits for a person
	}
}

// update changes what differs from what the place shows.
func (s *slot) update(item Item) {
	s.mu.Lock()
	s.do = item.Do
	s.mu.Unlock()
	if item.Title == "" {
		s.native.Hide()
		s.shown = Item{}
		return
	}
	if s.shown.Title != item.Title {
		s.native.SetTitle(item.Title)
	}
	if s.shown.Tooltip != item.Tooltip {
		s.native.SetTooltip(item.Tooltip)
	}
	if item.Checked != s.native.Checked() {
		if item.Checked {
			s.native.Check()
		} else {
			s.native.Uncheck()
		}
	}
	if item.Disabled != s.native.Disabled() {
		if item.Disabled {
			s.native.Disable()
		} else {
			s.native.Enable()
		}
	}
	if s.shown.Title == "" {
		s.native.Show()
	}
	s.shown = item
}
