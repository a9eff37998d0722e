package index

// maxDescriptionBytes is how much of a description counts for ranking: the
// length of the longest honest ones, so that padding wins nothing.
const maxDescriptionBytes = 2000

// weights are the constants of the lexical ranking. One set is shipped for all
// catalogues: shipped.
//
// The values were chosen on 4,000 requests that people wrote for 4,777 real MCP
// tools, a set apart from those that the ranking is judged by, and rounded: each
// lies on a plateau, where a half or a double changes recall@5 by less than .02.
// Halving a weight and looking at rank_stats.golden is a good first experiment.
type weights struct {
	// field weighs a word by where it stands: BM25F, Robertson, Zaragoza and
	// Taylor 2004, "Simple BM25 extension to multiple weighted fields".
	field [numFields]float32
	// b is how much a field's length counts, 0 to 1 (Robertson & Zaragoza 2009).
	b [numFields]float32
	// pivot is the field length, in words, that is neither rewarded nor
	// punished. BM25 takes the mean of the collection; these are the means over
	// real MCP tools, kept fixed so that a tool's weight never depends on which
	// other servers are connected.
	pivot [numFields]float32
	// k1 saturates repetition: a word said ten times counts little more than
	// one said three times.
	k1 float32

	compound      float32 // a compound ("keyvault" of key_vault) in a document, against one plain occurrence
	queryCompound float32 // a compound in a query, against a plain word
	stop          float32 // a function word in a query
	synonym       float32 // a synonym, against the word itself
	// coverage lifts tools that answer more of the request:
	// score * (1 + coverage * matched weight / whole weight).
	coverage float32
}

func shipped() *weights {
	return &weights{
		//                          name title descr param ptext server
		field: [numFields]float32{2.5, 1, 1, .5, .3, 1},
		b:     [numFields]float32{.5, .5, .7, .75, .75, .3},
		pivot: [numFields]float32{3, 3, 25, 6, 30, 2},
		k1:    .9,

		compound:      .5,
		queryCompound: .8,
		stop:          .2,
		synonym:       .3,
		coverage:      .5,
	}
}
