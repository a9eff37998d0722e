package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// Embedding holds the vectors of one tool, one after another, under the key of
// its texts and the model.
type Embedding struct {
	Vector []byte `json:"v"` // float32, little endian
	Sum    uint32 `json:"c"` // CRC-32 of Vector
}

func newEmbedding(vector []float32) Embedding {
	b := make([]byte, 0, 4*len(vector))
	for _, x := range vector {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return Embedding{Vector: b, Sum: crc32.ChecksumIEEE(b)}
}

// decode returns the vector if it is whole and has dim numbers.
func (e Embedding) decode(dim int) ([]float32, error) {
	if len(e.Vector) != 4*dim || crc32.ChecksumIEEE(e.Vector) != e.Sum {
		return nil, errors.New("damaged vector")
	}
	vector := make([]float32, dim)
	for i := range vector {
		vector[i] = math.Float32frombits(binary.LittleEndian.Uint32(e.Vector[4*i:]))
	}
	return vector, nil
}

// spareEmbeddings is how many vectors of texts that no tool has any more are
// kept besides as many as there are tools: a server that comes back, or a model
// that is tried out, finds them again.
const spareEmbeddings = 1000

// loadEmbeddings returns the stored vectors, dim numbers for each tool, of the
// texts in s, and deletes
// damaged ones, and all others when they have become too many.
func loadEmbeddings(records Records[Embedding], s *snapshot, digest string, dim int) (map[textKey][]float32, error) {
	known := make(map[textKey][]float32)
	if records == nil {
		return known, nil
	}
	texts := make(map[string]textKey, s.count)
	for d := range s.all {
		texts[d.text.record(digest)] = d.text
	}
	var damaged, spare []string
	err := records.All(func(key string, e Embedding, broken error) error {
		text, wanted := texts[key]
		if !wanted {
			spare = append(spare, key)
			return nil
		}
		vector, err := e.decode(dim)
		if broken != nil || err != nil {
			damaged = append(damaged, key)
			return nil
		}
		known[text] = vector
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("index: vectors: %w", err)
	}
	if len(spare) > s.count+spareEmbeddings {
		damaged = append(damaged, spare...)
	}
	if len(damaged) == 0 {
		return known, nil
	}
	if err := records.Update(nil, damaged); err != nil {
		return nil, fmt.Errorf("index: vectors: %w", err)
	}
	return known, nil
}
