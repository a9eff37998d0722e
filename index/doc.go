// Package index finds tools by what they do.
//
// An [Index] keeps the tools of each server as documents of six fields and
// searches them with two arms. The lexical arm is BM25F (weights.go has its
// constants): words are split out of identifiers, folded and stemmed; function
// words of a request count little, a small table of synonyms helps out. It
// serves the moment that [Index.Replace] returns. The vector arm, present with
// an embed.Embedder, follows in the background and adds the cosine of sentence
// vectors; until it has them, or when it fails, the lexical arm answers alone
// and [Explain] says so. The head of their sum is ordered by late interaction,
// word by word (late.go), where the model allows it. A tool that a request names comes first.
//
// Everything that a search reads is an immutable snapshot behind an atomic
// pointer, so a search waits for nobody. The catalogue of definitions and the
// vectors are kept in buckets; postings are not, they are made in less time than
// reading them would take (10,000 tools open in about a second).
//
// [Evaluate] measures the ranking on a [Set] of requests with known answers.
package index
