package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"mcpproxy/index"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/tool"
)

const maxQueries = 5

// noteUnfit marks hits that are only the nearest of what there is.
const noteUnfit = "Low confidence: probably none of these tools does what was asked; they are the nearest. Check before calling one, or ask in other words."

// retrieval is the checked input of retrieve_tools.
type retrieval struct {
	queries []string
	limit   int
	server  string
	detail  form
}

// found is one hit with its rendered definition.
type found struct {
	def   *definition
	score float64
	form  form
}

// retrieve answers retrieve_tools.
func (p *Proxy) retrieve(ctx context.Context, q request) json.RawMessage {
	limits := p.limits()
	in, err := readRetrieval(q.args, limits)
	if err != nil {
		return failure("retrieve_tools: "+err.Error(), `say what you want to do, such as {"query":"create an issue on GitHub"}`)
	}
	start := time.Now()
	var lists [][]found
	unfit := true
	for _, text := range in.queries {
		hits, err := p.opt.Index.Search(ctx, index.Query{Text: text, Limit: in.limit, Server: in.server})
		if err != nil {
			return failuref("try again; if it stays, the user can run: mcpproxy index status", "the search failed: %v", err)
		}
		unfit = unfit && index.Unfit(hits)
		lists = append(lists, p.approved(hits, in.detail))
	}
	hits := balance(lists, in.limit)
	p.remember(ctx, hits)
	note := p.starting.get(p.opt.Overview)
	if len(hits) == 0 {
		note = p.whyNothing(in.server)
	} else if unfit {
		note = joinNotes(noteUnfit, note)
	}
	answer := structuredResult(fit(hits, limits.ResponseLimit, note))
	p.opt.Meter.Searched(time.Since(start), len(answer))
	return answer
}

// approved drops what the gate does not know by exactly this text, as between
// a change and the index that follows it.
func (p *Proxy) approved(hits []index.Hit, detail form) []found {
	list := make([]found, 0, len(hits))
	for _, h := range hits {
		d := p.known.of(h.Tool)
		if p.opt.Gate.Check(h.Tool.ID, d.hash) == nil {
			list = append(list, found{d, h.Score, detail})
		}
	}
	return list
}

// balance takes the best of each list, then the second of each, and so on,
// every tool once.
func balance(lists [][]found, limit int) []found {
	if len(lists) == 1 {
		return lists[0][:min(limit, len(lists[0]))]
	}
	var all []found
	seen := map[tool.ID]bool{}
	for len(all) < limit {
		before := len(seen)
		for i := range lists {
			for len(lists[i]) > 0 && seen[lists[i][0].def.tool.ID] {
				lists[i] = lists[i][1:]
			}
			if len(lists[i]) > 0 && len(all) < limit {
				seen[lists[i][0].def.tool.ID] = true
				all = append(all, lists[i][0])
				lists[i] = lists[i][1:]
			}
		}
		if len(seen) == before {
			break
		}
	}
	return all
}

func readRetrieval(args json.RawMessage, limits Limits) (retrieval, error) {
	in := retrieval{limit: limits.TopK, detail: full}
	list, err := members(args)
	if err != nil {
		return in, err
	}
	for _, m := range list {
		switch m.Key {
		case "query":
			var query string
			if query, err = readString(m); err == nil && strings.TrimSpace(query) != "" {
				in.queries = slices.Insert(in.queries, 0, query)
			}
		case "queries":
			var more []string
			more, err = readStrings(m)
			in.queries = append(in.queries, more...)
		case "limit":
			in.limit, err = readInt(m)
		case "server":
			in.server, err = readString(m)
		case "detail":
			in.detail, err = readDetail(m)
		default:
			err = fmt.Errorf("unknown argument %q", escape.Clip(m.Key, 50))
		}
		if err != nil {
			return in, err
		}
	}
	in.queries = slices.DeleteFunc(in.queries, func(q string) bool { return strings.TrimSpace(q) == "" })
	switch n := len(in.queries); {
	case n == 0:
		return in, errors.New("query is missing")
	case n > maxQueries:
		return in, fmt.Errorf("%d queries are too many: at most %d", n, maxQueries)
	}
	if in.limit < 1 {
		in.limit = limits.TopK
	}
	in.limit = min(max(in.limit, len(in.queries)), limits.ToolsLimit)
	return in, nil
}

func readDetail(m member) (form, error) {
	name, err := readString(m)
	switch {
	case err != nil:
		return full, err
	case name == "":
		return defaultOf, nil
	case name == "full":
		return whole, nil
	case name == "compact":
		return compact, nil
	case name == "names":
		return nameOnly, nil
	}
	return full, fmt.Errorf("detail %q is unknown: want full, compact or names", escape.Clip(name, 20))
}

// whyNothing says why an answer is empty and what helps.
func (p *Proxy) whyNothing(server string) string {
	o := p.opt.Overview()
	var say []string
	connected := func(name string) bool {
		return slices.ContainsFunc(o.Servers, func(s ServerTools) bool { return s.Name == name })
	}
	switch {
	case server != "" && !connected(server):
		say = append(say, fmt.Sprintf("No connected server is called %q%s.", escape.Clip(server, 50), connectedNames(o)))
	case len(o.Servers) == 0:
		say = append(say, "No server has approved tools yet.")
	default:
		say = append(say, "Nothing matched"+connectedNames(o)+". Try other words or fewer of them.")
	}
	if n := len(o.Waiting); n > 0 {
		say = append(say, fmt.Sprintf("%s for the user's approval: %s. The user reviews one with: %s",
			count(n, "server waits", "servers wait"), names(o.Waiting), suggested("quarantine", "inspect", o.Waiting[0])))
	}
	if n := len(o.Starting); n > 0 {
		say = append(say, stillStarting(o))
	}
	if len(o.Servers)+len(o.Waiting)+len(o.Starting) == 0 {
		say = append(say, "The user adds servers to the configuration, or you do with upstream_servers.")
	}
	return strings.Join(say, " ")
}

func stillStarting(o Overview) string {
	return fmt.Sprintf("%s starting: %s. Ask again in a few seconds.", count(len(o.Starting), "server is", "servers are"), names(o.Starting))
}

// startingNote remembers for a second what is still starting: a search must
// not ask every server each time.
type startingNote struct{ last atomic.Pointer[agedNote] }

type agedNote struct {
	at   time.Time
	text string
}

func (n *startingNote) get(overview func() Overview) string {
	if last := n.last.Load(); last != nil && time.Since(last.at) < time.Second {
		return last.text
	}
	note := &agedNote{at: time.Now()}
	if o := overview(); len(o.Starting) > 0 {
		note.text = stillStarting(o)
	}
	n.last.Store(note)
	return note.text
}

func connectedNames(o Overview) string {
	if len(o.Servers) == 0 {
		return ""
	}
	list := make([]string, len(o.Servers))
	for i, s := range o.Servers {
		list[i] = s.Name
	}
	return " (connected: " + names(list) + ")"
}
