package scan

import (
	"math"
	"math/rand/v2"
)

// lesson is a passage as a regression sees it: what is in it, by number.
type lesson []int32

// regression is a logistic regression on the heaviest passage of each example.
type regression struct {
	start       []float64         // where weights begin, and what they are drawn to
	least, most []float64         // bounds, if any
	pull        float64           // how strongly they are drawn
	slope       float64           // odds are slope times the score above even
	halves      bool              // of each passage another half is left out in every round
	share       func(int) float64 // what one of n in a passage counts for
}

// fitted are weights, and the score at which odds are even.
type fitted struct {
	weights []float64
	even    float64
	share   func(int) float64
}

func (f *fitted) weigh(p lesson) float64 {
	sum := 0.0
	for _, n := range p {
		sum += f.weights[n]
	}
	return sum * f.share(len(p))
}

func (f *fitted) heaviest(passages []lesson) (best lesson) {
	top := 0.0
	for i, p := range passages {
		if sum := f.weigh(p); i == 0 || sum > top {
			best, top = p, sum
		}
	}
	return best
}

const (
	rounds = 200
	again  = 4 // in so many rounds the heaviest passages are looked for once
)

// fit learns from all examples at once, by Adam (Kingma and Ba 2015), with dropout
// (Srivastava et al. 2014) so that no phrase is trusted for its company alone. What
// it learned is the mean of the second half of the rounds (Polyak and Juditsky 1992):
// which halves of the passages came last decides nothing.
func (r *regression) fit(examples [][]lesson, attack []bool, cost []float64) *fitted {
	f := &fitted{append([]float64(nil), r.start...), 1, r.share}
	gradient := make([]float64, len(f.weights))
	weights, even := newAdam(len(f.weights)), newAdam(1)
	heaviest := make([]lesson, len(examples))
	coins, rest := rand.New(rand.NewPCG(1, 2)), lesson(nil)
	mean := &fitted{make([]float64, len(f.weights)), 0, r.share}
	for round := range rounds {
		if round%again == 0 {
			for i, passages := range examples {
				heaviest[i] = f.heaviest(passages)
			}
		}
		for i := range gradient {
			gradient[i] = r.pull * (f.weights[i] - r.start[i])
		}
		lift := 0.0
		for i, p := range heaviest {
			if r.halves {
				rest = half(p, rest, coins)
				p = rest
			}
			d := cost[i] / (1 + math.Exp(-r.slope*(f.weigh(p)-f.even)))
			if attack[i] {
				d -= cost[i]
			}
			d *= r.slope / 4
			each := d * r.share(len(p))
			for _, n := range p {
				gradient[n] += each
			}
			lift -= d
		}
		rate := .02 * (1 - .95*float64(round)/rounds)
		weights.step(f.weights, gradient, rate)
		at := []float64{f.even}
		even.step(at, []float64{lift}, rate)
		f.even = at[0]
		for i := range r.least {
			f.weights[i] = min(max(f.weights[i], r.least[i]), r.most[i])
		}
		if round >= rounds/2 {
			mean.add(f, 1./(rounds/2))
		}
	}
	return mean
}

// add adds a share of g to f.
func (f *fitted) add(g *fitted, share float64) {
	for i, w := range g.weights {
		f.weights[i] += share * w
	}
	f.even += share * g.even
}

// half leaves out what a coin decides.
func half(p, rest lesson, coins *rand.Rand) lesson {
	rest = rest[:0]
	bits := uint64(0)
	for i, n := range p {
		if i%64 == 0 {
			bits = coins.Uint64()
		}
		if bits&1 == 1 {
			rest = append(rest, n)
		}
		bits >>= 1
	}
	return rest
}

// scaled makes the score for review 1: strict is how many times even odds it is.
func (f *fitted) scaled(strict float64) *fitted {
	at := f.even * strict
	for i := range f.weights {
		f.weights[i] /= at
	}
	f.even = 1
	return f
}

type adam struct {
	mean, square []float64
	steps        int
}

func newAdam(n int) *adam { return &adam{mean: make([]float64, n), square: make([]float64, n)} }

func (a *adam) step(w, gradient []float64, rate float64) {
	a.steps++
	c1, c2 := 1-math.Pow(.9, float64(a.steps)), 1-math.Pow(.99, float64(a.steps))
	for i, g := range gradient {
		a.mean[i] = .9*a.mean[i] + .1*g
		a.square[i] = .99*a.square[i] + .01*g*g
		w[i] -= rate * (a.mean[i] / c1) / (math.Sqrt(a.square[i]/c2) + 1e-6)
	}
}
