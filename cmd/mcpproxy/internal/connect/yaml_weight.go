package connect

import (
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxYAMLNodes is far above any client's configuration.
const maxYAMLNodes = 200_000

// yamlTooLarge reports whether a text means more than maxYAMLNodes nodes once its
// aliases are written out: some lines can stand for billions.
func yamlTooLarge(text []byte) bool {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return false // the decoder says what is wrong with it
	}
	w := &yamlWeight{anchors: map[string]int{}}
	for _, doc := range file.Docs {
		ast.Walk(w, doc)
	}
	return w.nodes > maxYAMLNodes
}

// yamlWeight counts nodes, those behind aliases as often as they are named. An
// anchor stands before its aliases.
type yamlWeight struct {
	nodes   int
	anchors map[string]int
}

// Visit implements [ast.Visitor].
func (w *yamlWeight) Visit(node ast.Node) ast.Visitor {
	w.nodes++
	switch n := node.(type) {
	case *ast.AnchorNode:
		under := &yamlWeight{anchors: w.anchors}
		ast.Walk(under, n.Value)
		w.anchors[n.Name.String()] = under.nodes
		w.nodes += under.nodes
		return nil
	case *ast.AliasNode:
		w.nodes += w.anchors[n.Value.String()]
		return nil
	}
	if w.nodes > maxYAMLNodes {
		return nil
	}
	return w
}
