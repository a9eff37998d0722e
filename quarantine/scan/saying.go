package scan

import "strings"

// saying is one sentence of a definition with its known phrases.
type saying struct {
	field      *field
	form       int
	start, end int // bytes in the form
	words      []int32
	foreign    bool // not English
}

// read finds the known phrases of every sentence, and of the names of parameters.
// Words between two sentences that the lexicon knows nothing of belong to the first.
func (s *sight) read(fields []field, w *wording) {
	for i := range fields {
		f := &fields[i]
		if strings.HasSuffix(f.path, " (name)") {
			s.params = append(s.params, f.forms[0].text)
			s.names = union(s.names, w.findName(f.forms[0].text))
		}
		for n := range f.forms {
			s.readForm(f, n, w)
		}
	}
}

func (s *sight) readForm(f *field, n int, w *wording) {
	form := &f.forms[n]
	for j := range form.sentences {
		one := saying{field: f, form: n, start: form.sentences[j].start, end: len(form.text), foreign: form.sentences[j].foreign}
		if j == 0 {
			one.start = 0
		}
		if j+1 < len(form.sentences) {
			one.end = form.sentences[j+1].start
		}
		if f.kind != nameText {
			one.words = w.find(one.text())
		}
		s.sentences = append(s.sentences, one)
	}
}

func (s *saying) text() string { return s.field.forms[s.form].text[s.start:s.end] }

// shownWords is the score by words from which it is a finding.
const shownWords = .25

// worded is the finding that the words of p are those of attacks: it shows the
// sentence that adds most.
func (s *sight) worded(p passage, w *wording, weight float64) Finding {
	var most saying
	top := 0.0
	for n := p.first; n < p.first+passageLength && n <= len(s.sentences); n++ {
		if sum := w.weigh(s.sentences[n-1].words); most.field == nil || sum > top {
			most, top = s.sentences[n-1], sum
		}
	}
	f := Finding{key: "wording", Field: "description", Start: -1, End: -1}
	if most.field != nil {
		text := most.field.forms[most.form].text
		start := most.start + len(text[most.start:most.end]) - len(strings.TrimLeft(text[most.start:most.end], " \n\t.;"))
		f = most.field.finding("wording", "", most.form, start, most.end)
	}
	f.Rule, f.Weight, f.at = "wording", weight, p.first
	f.Why, f.Do = "reads like what attacks say to the model", advice
	return f
}
