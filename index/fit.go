package index

// leastFit is the fit below which a hit most likely does not serve the request.
// TestFit_Calibration chose it on the written requests for tools that the bundled
// model was not trained on (on those that it knows every threshold looks good),
// so that few requests that a tool does serve are called unfit; docs/retrieval.md
// has the rates.
const leastFit = .3

// wordsInFit is what the request's own words count in a fit, against the cosine.
const wordsInFit = .3

// fit adds the cosine and the share of the request's words, weighed by rarity,
// that the tool has. It is 0 where the vector arm took no part.
func (a *arms) fit(c candidate) float64 {
	switch {
	case !c.hasVector:
		return 0
	case c.exact:
		return 1 + wordsInFit
	}
	return max(float64(c.cosine), 0) + wordsInFit*a.coverage(c.doc)
}

// Unfit reports that none of hits, which one search returned, seems to serve its
// request. It is false where that cannot be told: without hits, or while tools
// have no vectors.
func Unfit(hits []Hit) bool {
	for _, h := range hits {
		if h.Explain.Fit == 0 && h.Explain.Vector.Score == 0 || h.Explain.Fit >= leastFit {
			return false
		}
	}
	return len(hits) > 0
}
