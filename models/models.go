// Package models knows the sentence models that the embedder can run: what each
// is called, its shape, and the digests that its files must have.
package models

// Info describes one model. Digest is the SHA-256 over its files, in hex; two
// vectors are comparable only if their models' Digest is equal.
type Info struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	Dim    int    `json:"dim"` // length of every vector
	// Words says that vectors of single words can be compared one by one: those
	// of a static model, whose texts are sums of words. A transformer reads words
	// in their context.
	Words bool `json:"words,omitempty"`
}
