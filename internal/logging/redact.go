package logging

import (
	"cmp"
	"encoding/binary"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	mask = "**redacted**"
	// MinSecret is the length in bytes from which a value is redacted. Shorter
	// ones ("admin", "8080") stand in ordinary text too often.
	MinSecret = 6
	headSize  = 4 // bytes of a form that it is found by
)

// Redactor puts **redacted** in place of the secrets it knows, also where they
// are written as JSON, in a URL or as base64. It knows them in memory and tells
// nobody. The cost is about a nanosecond per byte of text, however many secrets
// there are. The zero value knows none; nil does nothing. Safe for concurrent use.
type Redactor struct {
	mu    sync.Mutex
	known map[string]bool
	table atomic.Pointer[forms] // nil while nothing is known
}

// forms is an immutable table of all that is replaced.
type forms struct {
	heads   [1 << 10]uint64     // bit set of the hashes of all heads
	byHead  map[uint32][]string // forms by their first four bytes, longest first
	longest int
}

// Add makes r replace value from now on. One below [MinSecret] is ignored.
func (r *Redactor) Add(value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[value] || len(value) < MinSecret {
		return
	}
	if r.known == nil {
		r.known = map[string]bool{}
	}
	r.known[value] = true
	r.table.Store(newForms(slices.Collect(maps.Keys(r.known))))
}

// Text returns s without the secrets.
func (r *Redactor) Text(s string) string {
	if r == nil {
		return s
	}
	t := r.table.Load()
	if t == nil {
		return s
	}
	out, _ := t.replace(s, true)
	return out
}

// Reader returns src without the secrets, also where one comes in pieces. It
// keeps back only what may be the beginning of one.
func (r *Redactor) Reader(src io.Reader) io.Reader {
	if r == nil {
		return src
	}
	return &redactedReader{r: r, src: src, chunk: make([]byte, 16<<10)}
}

type redactedReader struct {
	r     *Redactor
	src   io.Reader
	chunk []byte
	kept  string // read, not yet judged
	out   string // judged, not yet handed out
	err   error
}

// Read implements [io.Reader].
func (r *redactedReader) Read(p []byte) (int, error) {
	for r.out == "" && r.err == nil {
		n, err := r.src.Read(r.chunk)
		r.err = err
		text := r.kept + string(r.chunk[:n])
		r.out, r.kept = text, ""
		if t := r.r.table.Load(); t != nil {
			r.out, r.kept = t.replace(text, err != nil)
		}
	}
	n := copy(p, r.out)
	r.out = r.out[n:]
	if r.out == "" && n == 0 {
		return 0, r.err
	}
	return n, nil
}

func newForms(values []string) *forms {
	t := &forms{byHead: map[uint32][]string{}}
	for _, value := range values {
		for _, form := range formsOf(value) {
			h := head(form)
			if slices.Contains(t.byHead[h], form) {
				continue
			}
			t.byHead[h] = append(t.byHead[h], form)
			t.longest = max(t.longest, len(form))
			bit := hashHead(h)
			t.heads[bit/64] |= 1 << (bit % 64)
		}
	}
	for _, list := range t.byHead {
		slices.SortFunc(list, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	}
	return t
}

func head(s string) uint32 { return binary.LittleEndian.Uint32([]byte(s[:headSize])) }

// hashHead is 16 bits of a multiplicative hash (Knuth, TAOCP 3, section 6.4).
func hashHead(h uint32) uint32 { return (h * 2654435769) >> 16 }

// replace returns s with each form masked. Unless s is final, it stops where a
// form may begin that s does not show whole, and returns the rest.
func (t *forms) replace(s string, final bool) (out, rest string) {
	var b strings.Builder
	from := 0      // of what is not yet in b
	sure := len(s) // where forms begin that s shows whole or not at all
	if !final && len(s) > 0 {
		sure = max(0, len(s)-t.longest+1)
	}
	for i := 0; i < len(s); {
		if i < sure && !t.mayBegin(s, i) {
			i++
			continue
		}
		if i >= sure && t.begins(s[i:]) {
			b.WriteString(s[from:i])
			return b.String(), s[i:]
		}
		n := t.match(s[i:])
		if n == 0 {
			i++
			continue
		}
		b.WriteString(s[from:i])
		b.WriteString(mask)
		i += n
		from = i
	}
	if from == 0 {
		return s, ""
	}
	b.WriteString(s[from:])
	return b.String(), ""
}

// mayBegin is false where no form begins at s[i].
func (t *forms) mayBegin(s string, i int) bool {
	if len(s)-i < headSize {
		return false
	}
	bit := hashHead(uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24)
	return t.heads[bit/64]&(1<<(bit%64)) != 0
}

// match returns the length of the longest form that s begins with.
func (t *forms) match(s string) int {
	for _, form := range t.candidates(s) {
		if strings.HasPrefix(s, form) {
			return len(form)
		}
	}
	return 0
}

// begins reports whether s is the beginning, and not the whole, of a form.
func (t *forms) begins(s string) bool {
	ofForm := func(form string) bool { return len(form) > len(s) && strings.HasPrefix(form, s) }
	if len(s) >= headSize {
		return slices.ContainsFunc(t.candidates(s), ofForm)
	}
	for _, list := range t.byHead {
		if slices.ContainsFunc(list, ofForm) {
			return true
		}
	}
	return false
}

// candidates returns the forms with the first bytes of s.
func (t *forms) candidates(s string) []string {
	if !t.mayBegin(s, 0) {
		return nil
	}
	return t.byHead[head(s)]
}
