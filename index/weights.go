package index

// maxDescriptionBytes is how much of a description counts for ranking: the
// length of the longest honest ones, so that padding wins nothing.
const maxDescriptionBytes = 2000

// weights are the constants of the lexical ranking. One set is shipped for all
// catalogues: shipped.
//
// The values were chosen on 4,000 written requests for 4,777 real MCP tools
// besides the sets that TestEvaluate_SharedSets names, and rounded. Each lies on
// a plateau: a tenth more or less moves recall@5 of no set by .01. What matters
// most is that descriptions count, that function words count little (all of them
// in full costs written requests .05 and colloquial ones .11, none of them costs
// short commands .01), and that synonyms do (.01 to .02).
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
	light         float32 // a light word in a query
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
		light:         .5,
		synonym:       .3,
		coverage:      .5,
	}
}
