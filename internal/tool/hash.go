package tool

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Formula is the version of what [Tool.Hash] covers and how. It is stored with
// every approval so that a later formula can be recomputed from the approved
// bytes.
const Formula = 1

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
// included; of a resource its plain size and annotations.lastModified do not.
// Text without a canonical form is hashed as its bytes.
func (t Tool) Hash() Hash {
	raw := stable(t.ID.Kind, t.Raw)
	canonical, err := Canonical(raw)
	if err != nil {
		canonical = t.Raw
	}
	return sha256.Sum256(canonical)
}
