package scan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

type outcome struct{ attacks, quiet, written, ordinary, real, hard, honest rate }

func (o *outcome) add(e example, flagged bool) {
	one := func(r *rate) {
		r.of++
		if flagged {
			r.hits++
		}
	}
	isWritten := strings.HasPrefix(e.group, "written")
	isReal := strings.HasPrefix(e.group, "real")
	switch {
	case e.attack && isWritten:
		one(&o.written)
	case e.attack:
		one(&o.attacks)
		if e.row.Technique != "overt_malicious_capability" {
			one(&o.quiet)
		}
	case isWritten:
		one(&o.honest)
	case isReal:
		one(&o.real)
	case e.hard:
		one(&o.hard)
	default:
		one(&o.ordinary)
	}
}

func (r rate) plus(s rate) rate { return rate{r.hits + s.hits, r.of + s.of} }

func (o outcome) String() string {
	return fmt.Sprintf("attacks %.1f quiet %.1f written %.1f | ordinary %.1f real %.1f hard %.1f honest %.1f", 100*o.attacks.share(), 100*o.quiet.share(), 100*o.written.share(), 100*o.ordinary.share(), 100*o.real.share(), 100*o.hard.share(), 100*o.honest.share())
}

func crossValidate(list []example, learn func([]example) map[string]float64) (o outcome, by map[string]*rate) {
	groups := map[string]bool{}
	by = map[string]*rate{}
	for _, e := range list {
		groups[e.group] = true
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		var rest, out []example
		for _, e := range list {
			if e.group == g {
				out = append(out, e)
			} else {
				rest = append(rest, e)
			}
		}
		w := learn(rest)
		for _, e := range out {
			hit := score(w, e) >= w["review"]
			o.add(e, hit)
			if e.attack {
				k := e.row.Technique
				if by[k] == nil {
					by[k] = &rate{}
				}
				by[k].of++
				if hit {
					by[k].hits++
				}
			}
		}
	}
	return o, by
}

// TestCrossValidate prints what a scanner finds that was trained without the source
// it looks at, for each source in turn; the rules were written with the sources in
// sight.
func TestCrossValidate(t *testing.T) {
	if testing.Short() {
		t.Skip("trains some thirty times")
	}
	o, _ := crossValidate(examples(t), learn)
	t.Logf("trained without the source\n  attacks %s\n  without overt ones %s\n  written attacks %s\n  ordinary false positives %s\n  real tools, hard ones among them %s\n  hard negatives %s\n  written hard negatives %s",
		o.attacks, o.quiet, o.written, o.ordinary, o.real, o.hard, o.honest)
	unseen := func(want func(row) bool) func(row) bool {
		return func(r row) bool { return r.heldOut() && want(r) }
	}
	benign := corpus(t, "benign.jsonl")
	attacks := o.attacks.plus(count(t, corpus(t, "attacks.jsonl"), unseen(func(r row) bool { return r.TextDetectable == nil || *r.TextDetectable }), flagged))
	ordinary := o.ordinary.plus(count(t, benign, unseen(func(r row) bool { return !r.HardNegative }), flagged))
	hard := o.hard.plus(count(t, benign, unseen(func(r row) bool { return r.HardNegative }), flagged))
	t.Logf("with the sources that are held out\n  attacks %s\n  ordinary false positives %s\n  hard negatives %s", attacks, ordinary, hard)
	if attacks.share() < .84 || ordinary.share() > .005 || hard.share() > .09 {
		t.Error("worse than docs/security.md says")
	}
}
