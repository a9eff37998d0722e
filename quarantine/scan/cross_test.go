package scan

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
)

// outcome is what a scanner finds that was trained without the part it looks at.
type outcome struct {
	attacks, quiet, ordinary, hard, real rate
	texts                                rate // of the training text
	written, honest                      rate // of testdata's lists
	authors, near                        rate // of the authors
}

func (o *outcome) add(e *example, flagged bool) {
	one := func(r *rate) {
		r.of++
		if flagged {
			r.hits++
		}
	}
	isWritten := strings.HasPrefix(e.group, "written")
	switch {
	case e.attack && e.author():
		one(&o.authors)
	case e.author():
		one(&o.near)
	case e.attack && isWritten:
		one(&o.written)
	case e.attack:
		one(&o.attacks)
		if e.row.Technique != "overt_malicious_capability" {
			one(&o.quiet)
		}
	case isWritten:
		one(&o.honest)
	case e.row.fromText:
		one(&o.texts)
	case strings.HasPrefix(e.group, "real"):
		one(&o.real)
	case e.hard:
		one(&o.hard)
	default:
		one(&o.ordinary)
	}
}

func (r rate) plus(s rate) rate { return rate{r.hits + s.hits, r.of + s.of} }

// part is what is left out together when e is judged: its source, or several that are
// small.
func (e *example) part(size map[string]int) string {
	switch {
	case e.row.fromText:
		return "text" + e.group[len(e.group)-1:]
	case strings.HasPrefix(e.group, "real"), strings.HasPrefix(e.group, "written"):
		return e.group[:4] + fmt.Sprint(e.group[len(e.group)-1]%2)
	case size[e.group] < 30:
		return "small" + fmt.Sprint(len(e.group)%3)
	}
	return e.group
}

func (c *course) crossValidate() (o outcome) {
	size, parts := map[string]int{}, map[string]bool{}
	for _, e := range c.list {
		size[e.group]++
	}
	for _, e := range c.list {
		parts[e.part(size)] = true
	}
	var (
		mu  sync.Mutex
		all errgroup.Group
	)
	all.SetLimit(runtime.GOMAXPROCS(0))
	for name := range parts {
		all.Go(func() error {
			var rest, out []*example
			for _, e := range c.list {
				if e.part(size) == name {
					out = append(out, e)
				} else {
					rest = append(rest, e)
				}
			}
			s := c.learn(rest)
			mu.Lock()
			defer mu.Unlock()
			for _, e := range out {
				o.add(e, s.score(e) >= reviewAt)
			}
			return nil
		})
	}
	_ = all.Wait() // none fails
	return o
}

// TestCrossValidate prints what a scanner finds that was trained without the source
// or author it looks at, for each in turn; the rules were written with the sources in
// sight.
func TestCrossValidate(t *testing.T) {
	if testing.Short() {
		t.Skip("trains some twenty times")
	}
	o := newCourse(t).crossValidate()
	t.Logf("trained without the source\n  attacks %s\n  without overt ones %s\n  ordinary false positives %s\n  hard negatives %s\n  real tools, hard ones among them %s\n  tools of the training text %s\n  listed attacks %s\n  listed hard negatives %s\n  authors' attacks %s\n  authors' hard negatives %s",
		o.attacks, o.quiet, o.ordinary, o.hard, o.real, o.texts, o.written, o.honest, o.authors, o.near)
	unseen := func(want func(row) bool) func(row) bool {
		return func(r row) bool { return r.heldOut() && want(r) }
	}
	benign := corpus(t, "benign.jsonl")
	attacks := o.attacks.plus(count(t, corpus(t, "attacks.jsonl"), unseen(func(r row) bool { return r.TextDetectable == nil || *r.TextDetectable }), flagged))
	ordinary := o.ordinary.plus(count(t, benign, unseen(func(r row) bool { return !r.HardNegative }), flagged))
	hard := o.hard.plus(count(t, benign, unseen(func(r row) bool { return r.HardNegative }), flagged))
	t.Logf("with the sources that are held out\n  attacks %s\n  ordinary false positives %s\n  hard negatives %s", attacks, ordinary, hard)
	if attacks.share() < .80 || ordinary.plus(o.real).plus(o.texts).share() > .0066 || hard.share() > .08 || o.authors.share() < .42 || o.near.share() > .11 {
		t.Error("worse than docs/security.md says")
	}
}
