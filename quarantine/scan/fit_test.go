package scan

import "math"

// lesson is a passage as a regression sees it: what is in it, by number, and what
// each of that counts for.
type lesson struct {
	has   []int32
	share float64
}

// regression is a logistic regression on the heaviest passage of each example.
type regression struct {
	start       []float64 // where weights begin, and what they are drawn to
	least, most []float64 // bounds, if any
	pull        float64   // how strongly they are drawn
	slope       float64   // odds are slope times the score above even
}

// fitted are weights, and the score at which odds are even.
type fitted struct {
	weights []float64
	even    float64
}

// heaviest returns the passage that weighs most, and its weight.
func (f *fitted) heaviest(passages []lesson) (best lesson, score float64) {
	for i, p := range passages {
		sum := 0.0
		for _, n := range p.has {
			sum += f.weights[n]
		}
		if sum *= p.share; i == 0 || sum > score {
			best, score = p, sum
		}
	}
	return best, score
}

const rounds = 200

// fit learns from all examples at once, by Adam (Kingma and Ba 2015).
func (r *regression) fit(examples [][]lesson, attack []bool, cost []float64) *fitted {
	f := &fitted{append([]float64(nil), r.start...), 1}
	gradient := make([]float64, len(f.weights))
	weights, even := newAdam(len(f.weights)), newAdam(1)
	for round := range rounds {
		for i := range gradient {
			gradient[i] = r.pull * (f.weights[i] - r.start[i])
		}
		lift := 0.0
		for i, passages := range examples {
			p, score := f.heaviest(passages)
			d := cost[i] / (1 + math.Exp(-r.slope*(score-f.even)))
			if attack[i] {
				d -= cost[i]
			}
			d *= r.slope / 4
			for _, n := range p.has {
				gradient[n] += d * p.share
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
	}
	return f
}

// scaled makes the score for review 1: strict is how far it lies above even odds, as
// a share of them.
func (f *fitted) scaled(strict float64) *fitted {
	at := f.even * (1 + strict)
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
