package index

import (
	"testing"

	"mcpproxy/embed"
	"mcpproxy/embed/embedtest"
	"mcpproxy/internal/tool"
)

func TestIndex_Standing(t *testing.T) {
	t.Parallel()
	x := fixture(t)
	for _, c := range []struct {
		name  string
		id    tool.ID
		known bool
		rank  int
	}{
		{"first", tool.ID{Server: "github", Name: "create_issue"}, true, 1},
		{"beyond the limit", tool.ID{Server: "github", Name: "list_pull_requests"}, true, 2},
		{"without a word", tool.ID{Server: "天气", Name: "forecast"}, true, 0},
		{"unknown", tool.ID{Server: "github", Name: "nothing"}, false, 0},
	} {
		s, err := x.Standing(t.Context(), Query{Text: "issue in a repository", Limit: 1, Server: ""}, c.id)
		if err != nil || s.Known != c.known || (s.Rank > 0) != (c.rank > 0) || c.rank == 1 && s.Rank != 1 || c.rank > 0 && len(s.Explain.Terms) == 0 {
			t.Errorf("%s: %+v, %v", c.name, s, err)
		}
	}
}

// TestVectors_Near_BothWays compares chromem's scan with the plain one.
func TestVectors_Near_BothWays(t *testing.T) {
	t.Parallel()
	x := open(t, nil, Options{Embedder: embedtest.Hash{}})
	var tools []tool.Tool
	r := benchWords()
	for i := range chromemTools - 1 {
		tools = append(tools, newTool(t, "s", "tool_"+r()+"_"+string(rune('a'+i%26))+r(), r()+" "+r()+". "+r()+" "+r()))
	}
	replace(t, x, "s", tools...)
	settle(t, x)
	v := x.worker.Load().vectors.Load()
	query, err := embedtest.Hash{}.Embed(t.Context(), embed.Query, []string{r() + " " + r()})
	if err != nil {
		t.Fatal(err)
	}
	byChromem, err := v.nearest(t.Context(), v.snap, "", query[0], 10)
	if err != nil {
		t.Fatal(err)
	}
	byServer, err := v.nearest(t.Context(), v.snap, "s", query[0], 10)
	if err != nil {
		t.Fatal(err)
	}
	for i := range byChromem {
		if diff := byChromem[i].score - byServer[i].score; diff > 1e-5 || diff < -1e-5 {
			t.Errorf("%d: chromem %v, plain %v", i, byChromem[i], byServer[i])
		}
	}
}
