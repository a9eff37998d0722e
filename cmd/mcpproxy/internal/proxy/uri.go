package proxy

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcpproxy/internal/escape"
	"mcpproxy/internal/tool"
)

// place is where a URI is read: a resource, or a template that makes it.
type place struct {
	*offered
	uri string // the server's own
}

// resource finds what a URI means: mcpproxy://SERVER/URI that server's, any other
// the resource of that URI, else of its plain spelling, else what a template makes
// of that: what the server is asked is what was judged. It must be of one server.
func (p *Proxy) resource(ctx context.Context, asked string) (place, *fault) {
	s := p.shelf.Load()
	code := mcp.RESOURCE_NOT_FOUND
	if server.IsModernRequest(ctx) {
		code = mcp.INVALID_PARAMS
	}
	only, uri, qualified := unqualified(asked)
	if len(s.exact(uri, only)) == 0 {
		uri = tool.PlainURI(uri)
	}
	found := s.holders(uri, only)
	holder := ""
	if len(found) == 0 {
		holder = s.heldBy(uri, only)
	}
	switch {
	case len(found) == 1 && found[0].def.ID.Kind == tool.Template && p.waits(found[0].def.ID.Server, uri):
		return place{}, heldFault(code, asked, found[0].def.ID.Server)
	case holder != "":
		return place{}, heldFault(code, asked, holder)
	case len(found) == 1:
		return place{found[0], uri}, nil
	case len(found) > 1:
		ways := make([]string, len(found))
		for i, o := range found {
			ways[i] = resourceName(tool.ID{Server: o.def.ID.Server, Name: uri}, leastDigits)
		}
		return place{}, &fault{code, "more than one server has this resource: read one of " + strings.Join(ways, ", ")}
	case qualified && p.waiting(only):
		return place{}, heldFault(code, asked, only)
	}
	message := "no approved server has the resource " + escape.Clip(asked, 200)
	if waiting := p.opt.Overview().Waiting; len(waiting) > 0 {
		message += "; waiting for the user's approval: " + names(waiting) + " (mcpproxy quarantine inspect NAME)"
	}
	return place{}, &fault{code, message}
}

// waits reports whether a resource of the server is held or blocked: what a
// template makes must not get around that.
func (p *Proxy) waits(server, uri string) bool {
	return p.opt.Gate.Waits(tool.ID{Server: server, Kind: tool.Resource, Name: uri})
}

// exact returns the resources of that URI, of one server if only is not empty.
func (s *shelf) exact(uri, only string) []*offered {
	return filter(s.byURI[uri], only)
}

// holders returns exact or, where there is none, one template of each server that
// makes the URI.
func (s *shelf) holders(uri, only string) []*offered {
	if found := s.exact(uri, only); len(found) > 0 {
		return found
	}
	var found []*offered
	for _, o := range filter(s.lists[tool.Template], only) {
		same := func(f *offered) bool { return f.def.ID.Server == o.def.ID.Server }
		if o.match != nil && o.match.MatchString(uri) && !slices.ContainsFunc(found, same) {
			found = append(found, o)
		}
	}
	return found
}

// heldBy returns a server, only if that is not empty, of which a resource with
// that URI or a template that makes it waits; empty if there is none.
func (s *shelf) heldBy(uri, only string) string {
	for _, server := range slices.Sorted(maps.Keys(s.servers)) {
		if only != "" && only != server {
			continue
		}
		for _, id := range s.servers[server].held {
			if id.Kind == tool.Resource && tool.PlainURI(id.Name) == tool.PlainURI(uri) {
				return server
			}
			if id.Kind != tool.Template {
				continue
			}
			if m := maker(id.Name); m != nil && m.MatchString(uri) {
				return server
			}
		}
	}
	return ""
}

func filter(list []*offered, only string) []*offered {
	if only == "" {
		return list
	}
	var some []*offered
	for _, o := range list {
		if o.def.ID.Server == only {
			some = append(some, o)
		}
	}
	return some
}

// waiting reports whether the whole server waits for approval.
func (p *Proxy) waiting(server string) bool {
	return slices.Contains(p.opt.Overview().Waiting, server)
}
