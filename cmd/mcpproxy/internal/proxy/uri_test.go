package proxy

import (
	"strconv"
	"strings"
	"testing"

	"mcpproxy/internal/tool"
)

// TestResource_OtherSpellings: a template reads nothing that is held, however its
// URI is written, and the server is asked what was judged.
func TestResource_OtherSpellings(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{ // the URI that is sent; "" is none
		"file:///docs/held":                "",
		"file:///docs/%68eld":              "",
		"FILE:///docs/held":                "",
		"file:///docs/x/../held":           "",
		"file:///docs/%2e/held":            "",
		"mcpproxy://s/file:///docs/%68eld": "",
		"file:///docs/../secret":           "",
		"file:///docs/fr%65e":              "file:///docs/free",
		"File:///docs/a%2fb":               "file:///docs/a%2Fb",
		"file:///docs/free":                "file:///docs/free",
		"file:///own/%6Fdd":                "file:///own/%6Fdd",
		"FILE:///plain":                    "file:///plain",
	} {
		t.Run(strings.ReplaceAll(asked, "/", "|"), func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.addOther(t, tool.Template, "s", `{"uriTemplate":"file:///docs/{+path}","name":"docs"}`)
			w.addOther(t, tool.Resource, "s", `{"uri":"file:///own/%6Fdd","name":"odd"}`)
			w.addOther(t, tool.Resource, "s", `{"uri":"file:///plain","name":"plain"}`)
			w.held[w.addOther(t, tool.Resource, "s", `{"uri":"file:///docs/held","name":"held"}`).ID] = true
			a, p := w.agent(t)
			w.offer(p)
			a.post("resources/read", `{"uri":`+strconv.Quote(asked)+`}`)
			got := ""
			if len(w.fetches) > 0 {
				got = w.fetches[0].URI
			}
			if got != want {
				t.Errorf("the server was asked for %q, want %q", got, want)
			}
		})
	}
}

// TestOffer_HeldPromptsOfOneName: who is named as the holder of a prompt is not
// chance.
func TestOffer_HeldPromptsOfOneName(t *testing.T) {
	t.Parallel()
	servers := map[string]goods{
		"a":    {held: []tool.ID{{Server: "a", Kind: tool.Prompt, Name: "b__c"}}},
		"a__b": {held: []tool.ID{{Server: "a__b", Kind: tool.Prompt, Name: "c"}}},
	}
	for range 50 {
		if s := stock(servers); s.heldAs["a__b__c"] != "a" {
			t.Fatalf("holder of a__b__c = %q, want a of %v", s.heldAs["a__b__c"], s.heldAs)
		}
	}
}
