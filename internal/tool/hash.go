package tool

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"unicode/utf8"
)

// Formula is the version of what [Tool.Hash] covers and how. It is stored with
// every approval so that a later formula can be recomputed from the approved
// bytes.
const Formula = 1

// maxDepth bounds the nesting that [Canonical] follows; deeper text is refused.
const maxDepth = 512

// ErrNotCanonical is wrapped by every error of [Canonical].
var ErrNotCanonical = errors.New("no canonical form")

// Hash is a SHA-256 digest. Its text form is 64 lower-case hex digits.
type Hash [sha256.Size]byte

// String returns the 64 hex digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero reports whether h was never set.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != sha256.Size {
		return fmt.Errorf("bad hash: want %d hex digits", 2*sha256.Size)
	}
	copy(h[:], b)
	return nil
}

// Hash returns the SHA-256 over the canonical form of everything in t.Raw. Key
// order and white space do not count, everything else does, unknown keys
// included. Text without a canonical form is hashed as its bytes.
func (t Tool) Hash() Hash {
	canonical, err := Canonical(t.Raw)
	if err != nil {
		canonical = t.Raw
	}
	return sha256.Sum256(canonical)
}

// Canonical returns raw with object keys sorted by their bytes, without white
// space, strings in Go's minimal escaping and numbers by their literal text (so
// 2^60 and 1.0 keep their digits). Members with equal keys are all kept, in the
// order sent: a parser's choice between them must not hide a change. It returns
// an error wrapping [ErrNotCanonical] if raw is not one JSON value in UTF-8
// or nests deeper than 512.
func Canonical(raw []byte) ([]byte, error) {
	if !utf8.Valid(raw) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrNotCanonical)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var out bytes.Buffer
	if err := canonicalValue(d, &out, 0); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotCanonical, err)
	}
	if d.More() {
		return nil, fmt.Errorf("%w: more than one value", ErrNotCanonical)
	}
	return out.Bytes(), nil
}

func canonicalValue(d *json.Decoder, out *bytes.Buffer, depth int) error {
	if depth > maxDepth {
		return errors.New("nested too deep")
	}
	tok, err := d.Token()
	if err != nil {
		return err
	}
	switch v := tok.(type) {
	case json.Delim:
		if v == '{' {
			return canonicalObject(d, out, depth)
		}
		return canonicalArray(d, out, depth)
	case json.Number:
		out.WriteString(v.String())
		return nil
	default:
		return writeScalar(out, v)
	}
}

type member struct{ key, value string }

func canonicalObject(d *json.Decoder, out *bytes.Buffer, depth int) error {
	var members []member
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var value bytes.Buffer
		if err := canonicalValue(d, &value, depth+1); err != nil {
			return err
		}
		members = append(members, member{key.(string), value.String()})
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	sort.SliceStable(members, func(i, j int) bool { return members[i].key < members[j].key })
	out.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := writeScalar(out, m.key); err != nil {
			return err
		}
		out.WriteByte(':')
		out.WriteString(m.value)
	}
	out.WriteByte('}')
	return nil
}

func canonicalArray(d *json.Decoder, out *bytes.Buffer, depth int) error {
	out.WriteByte('[')
	for i := 0; d.More(); i++ {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := canonicalValue(d, out, depth+1); err != nil {
			return err
		}
	}
	_, err := d.Token()
	out.WriteByte(']')
	return err
}

func writeScalar(out *bytes.Buffer, v any) error {
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	out.Write(bytes.TrimSuffix(line.Bytes(), []byte("\n")))
	return nil
}
