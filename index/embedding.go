package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"mcpproxy/models"
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

// loadEmbeddings returns the stored vectors, made by model, of the texts and
// words in s, and deletes damaged ones, and all others when they have become too
// many.
func loadEmbeddings(records Records[Embedding], s *snapshot, model models.Info) (known map[textKey][]float32, words map[word][]float32, err error) {
	known, words = make(map[textKey][]float32), make(map[word][]float32)
	if records == nil {
		return known, words, nil
	}
	wanted := make(map[string]func(Embedding) error, s.count)
	for d := range s.all {
		wanted[d.text.record(model.Digest)] = func(e Embedding) (err error) {
			vector, err := e.decode(passagesPerTool * model.Dim)
			if err == nil {
				known[d.text] = vector
			}
			return err
		}
	}
	if model.Words {
		s.wantWords(model, words, wanted)
	}
	var damaged, spare []string
	err = records.All(func(key string, e Embedding, broken error) error {
		take, known := wanted[key]
		switch {
		case !known:
			spare = append(spare, key)
		case broken != nil || take(e) != nil:
			damaged = append(damaged, key)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("index: vectors: %w", err)
	}
	if len(spare) > len(wanted)+spareEmbeddings {
		damaged = append(damaged, spare...)
	}
	if len(damaged) == 0 {
		return known, words, nil
	}
	if err := records.Update(nil, damaged); err != nil {
		return nil, nil, fmt.Errorf("index: vectors: %w", err)
	}
	return known, words, nil
}

// wantWords adds the records of the words of s to wanted; taken ones go to words.
func (s *snapshot) wantWords(model models.Info, words map[word][]float32, wanted map[string]func(Embedding) error) {
	seen := make(map[word]bool)
	for d := range s.all {
		for _, one := range d.words {
			if seen[one] {
				continue
			}
			seen[one] = true
			wanted[recordOfWord(one, model.Digest)] = func(e Embedding) error {
				dim := model.Dim
				if len(e.Vector) == 0 {
					dim = 0 // the model has none for it
				}
				vector, err := e.decode(dim)
				if err == nil {
					words[one] = vector
				}
				return err
			}
		}
	}
}
