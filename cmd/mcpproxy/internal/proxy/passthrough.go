package proxy

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"sort"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcpproxy/internal/audit"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
)

// Bounds of what is passed through besides tools.
const (
	maxPageItems = 200
	maxPageBytes = 256 << 10
	maxFetched   = 4 << 20 // of one prompt or resource: it cannot be read in pages
)

// fault is a JSON-RPC error.
type fault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// passThrough serves prompts and resources. mcp-go checks the requests; lists and
// answers are raw and take the place of what it would send.
func (p *Proxy) passThrough(h *server.Hooks) {
	h.AddAfterListPrompts(func(ctx context.Context, _ any, q *mcp.ListPromptsRequest, r *mcp.ListPromptsResult) {
		p.list(ctx, tool.Prompt, "prompts", q.Params.Cursor)
		r.Prompts, r.NextCursor = []mcp.Prompt{{Name: marker}}, ""
	})
	h.AddAfterListResources(func(ctx context.Context, _ any, q *mcp.ListResourcesRequest, r *mcp.ListResourcesResult) {
		p.list(ctx, tool.Resource, "resources", q.Params.Cursor)
		r.Resources, r.NextCursor = []mcp.Resource{{Name: marker}}, ""
	})
	h.AddAfterListResourceTemplates(func(ctx context.Context, _ any, q *mcp.ListResourceTemplatesRequest, r *mcp.ListResourceTemplatesResult) {
		p.list(ctx, tool.Template, "resourceTemplates", q.Params.Cursor)
		r.ResourceTemplates, r.NextCursor = []mcp.ResourceTemplate{{Name: marker}}, ""
	})
	// Whatever is asked for, mcp-go finds the one handler that it has.
	h.AddBeforeGetPrompt(func(_ context.Context, _ any, q *mcp.GetPromptRequest) { q.Params.Name = marker })
	h.AddBeforeReadResource(func(_ context.Context, _ any, q *mcp.ReadResourceRequest) { q.Params.URI = marker })
}

// handlePassThrough adds those handlers.
func (p *Proxy) handlePassThrough() {
	p.mcp.AddPrompt(mcp.Prompt{Name: marker}, func(ctx context.Context, _ mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return &mcp.GetPromptResult{Description: marker}, p.answerFetch(ctx, p.getPrompt)
	})
	p.mcp.AddResource(mcp.Resource{URI: marker, Name: marker}, func(ctx context.Context, _ mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		return []mcp.ResourceContents{mcp.TextResourceContents{URI: marker}}, p.answerFetch(ctx, p.readResource)
	})
}

// list answers one page of a list with the approved definitions that nothing is
// held against.
func (p *Proxy) list(ctx context.Context, kind tool.Kind, member string, cursor mcp.Cursor) {
	rep := replyFrom(ctx)
	if rep == nil {
		return
	}
	after, _ := base64.StdEncoding.DecodeString(string(cursor)) // mcp-go checked it
	all := p.shelf.Load().lists[kind]
	from := sort.Search(len(all), func(i int) bool { return all[i].name > string(after) })
	b := []byte(`{"` + member + `":[`)
	n, last := 0, ""
	for _, o := range all[from:] {
		if n == maxPageItems || n > 0 && len(b)+len(o.listed) > maxPageBytes {
			b = append(b, `],"nextCursor":"`+base64.StdEncoding.EncodeToString([]byte(last))+`"}`...)
			rep.give(ctx, b)
			return
		}
		last = o.name
		if p.opt.Gate.Check(o.def.ID, o.hash) != nil {
			continue
		}
		if n++; n > 1 {
			b = append(b, ',')
		}
		b = append(b, o.listed...)
	}
	rep.give(ctx, append(b, `]}`...))
}

// wanted is what prompts/get and resources/read ask for.
type wanted struct {
	Name      string          `json:"name"`
	URI       string          `json:"uri"`
	Arguments json.RawMessage `json:"arguments"`
}

// answerFetch reads the request itself and gives its answer to the reply.
func (p *Proxy) answerFetch(ctx context.Context, do func(context.Context, *reply, wanted) (json.RawMessage, *fault)) error {
	rep := replyFrom(ctx)
	if rep == nil {
		return errors.New("only over HTTP")
	}
	if !rep.session.enter() {
		rep.fail(fault{mcp.INTERNAL_ERROR, "too many requests of this session are running already: wait for one of them to end"})
		return nil
	}
	defer rep.session.leave()
	var q struct {
		Params wanted `json:"params"`
	}
	if err := json.Unmarshal(rep.message, &q); err != nil {
		return err
	}
	raw, wrong := do(ctx, rep, q.Params)
	if wrong != nil {
		rep.fail(*wrong)
	} else {
		rep.give(ctx, raw)
	}
	return nil
}

func (p *Proxy) getPrompt(ctx context.Context, rep *reply, q wanted) (json.RawMessage, *fault) {
	s := p.shelf.Load()
	if o := s.byName[tool.Prompt][q.Name]; o != nil {
		return p.fetch(ctx, rep, o, upstream.Fetch{ID: o.def.ID, Arguments: q.Arguments}, q.Name)
	}
	server, name, _ := strings.Cut(q.Name, "__")
	holder, waits := s.heldAs[q.Name]
	p.refused(ctx, tool.ID{Server: server, Kind: tool.Prompt, Name: name})
	switch {
	case waits:
		return nil, heldFault(mcp.INVALID_PARAMS, q.Name, holder)
	case p.waiting(server):
		return nil, heldFault(mcp.INVALID_PARAMS, q.Name, server)
	}
	return nil, &fault{mcp.INVALID_PARAMS, "no prompt is called " + escape.Clip(q.Name, 120) + ": prompts/list names those that there are"}
}

func (p *Proxy) readResource(ctx context.Context, rep *reply, q wanted) (json.RawMessage, *fault) {
	found, wrong := p.resource(ctx, q.URI)
	if wrong != nil {
		server, uri, _ := unqualified(q.URI)
		p.refused(ctx, tool.ID{Server: server, Kind: tool.Resource, Name: uri})
		return nil, wrong
	}
	return p.fetch(ctx, rep, found.offered, upstream.Fetch{ID: found.def.ID, URI: found.uri}, q.URI)
}

// refused puts a request on record that found nothing to send it to. The name is
// the agent's.
func (p *Proxy) refused(ctx context.Context, id tool.ID) {
	rec := p.recording(ctx, id, nil)
	rec.end(nil, audit.Refused, nil)
}

// fetch gets what f names of an approved definition; asked is the agent's own
// word for it.
func (p *Proxy) fetch(ctx context.Context, rep *reply, o *offered, f upstream.Fetch, asked string) (json.RawMessage, *fault) {
	rec := p.recording(ctx, o.def.ID, f.Arguments)
	rec.entry.Hash = o.hash.String()
	if p.opt.Gate.Check(o.def.ID, o.hash) != nil {
		rec.end(nil, audit.Refused, nil)
		return nil, heldFault(mcp.INVALID_PARAMS, asked, o.def.ID.Server)
	}
	f.Want = o.hash
	var done func()
	f.Meta, f.Progress, done = rep.passedOn()
	defer done()
	p.greet(ctx, f.ID.Server)
	res, err := p.opt.Pool.Fetch(ctx, f)
	raw := res.Raw
	rec.end(nil, outcomeOf(ctx, res, err), raw)
	if err != nil {
		return nil, p.explainFetch(ctx, o, asked, err)
	}
	if _, err := members(raw); err != nil {
		return nil, &fault{mcp.INTERNAL_ERROR, "server " + printable(o.def.ID.Server) + " answered with something that is no result"}
	}
	if len(raw) > maxFetched {
		return nil, &fault{mcp.INTERNAL_ERROR, escape.Clip(asked, 120) + " is too large: the answer has " + count(len(raw)>>10, "KiB", "KiB") +
			", at most " + count(maxFetched>>10, "KiB", "KiB") + " are passed on"}
	}
	return raw, nil
}

// explainFetch turns an error of the pool into words. An RPC error of an approved
// server is quoted.
func (p *Proxy) explainFetch(ctx context.Context, o *offered, asked string, err error) *fault {
	server := printable(o.def.ID.Server)
	var rpc *upstream.RPCError
	switch {
	case ctx.Err() != nil:
		return &fault{mcp.INTERNAL_ERROR, "cancelled"}
	case errors.Is(err, upstream.ErrChanged):
		return heldFault(mcp.INVALID_PARAMS, asked, o.def.ID.Server)
	case errors.As(err, &rpc):
		return &fault{rpc.Code, "server " + server + ": " + plainText(rpc.Message, maxErrorText)}
	}
	return &fault{mcp.INTERNAL_ERROR, plainText(err.Error(), maxErrorText) + "\nNext: see why with " + suggested("upstream", "logs", o.def.ID.Server)}
}

// heldFault names what waits in the agent's own words and the reviewer's command,
// and nothing of what is held.
func heldFault(code int, asked, server string) *fault {
	return &fault{code, escape.Clip(asked, 120) + " is held: nobody has approved it in its present form.\nNext: ask the user to review it: " +
		reviewing(server)}
}
