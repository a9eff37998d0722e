package proxy

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"

	"mcpproxy/internal/tool"
)

// maxListed bounds a listed name: some clients refuse a session with a name of
// more than 64 characters.
const maxListed = 60

// leastDigits of a hash keep cut names apart.
const leastDigits = 8

// promptName is what a prompt is listed as: "server__name". A name that is too
// long, or holds what clients do not take, is made to fit and ends in digits of
// the hash of its id; with digits above 0 every name does.
func promptName(id tool.ID, digits int) string {
	name := id.Server + "__" + id.Name
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-', r == '.':
			return r
		default:
			return '_'
		}
	}, name)
	if plain == name && len(name) <= maxListed && digits == 0 {
		return name
	}
	digits = max(digits, leastDigits)
	return plain[:min(len(plain), max(maxListed-1-digits, 0))] + "-" + digest(id)[:digits]
}

// qualifiedScheme begins the URIs that name a server besides its resource.
const qualifiedScheme = "mcpproxy://"

// resourceName is what a resource or a template is listed as: its own URI, or
// mcpproxy://SERVER/URI with digits above 0, which no other server can have. A
// URI that looks like that itself always gets it.
func resourceName(id tool.ID, digits int) string {
	if digits == 0 && !strings.HasPrefix(id.Name, qualifiedScheme) {
		return id.Name
	}
	return qualifiedScheme + url.PathEscape(id.Server) + "/" + id.Name
}

// unqualified splits a URI that resourceName qualified.
func unqualified(uri string) (server, rest string, ok bool) {
	tail, ok := strings.CutPrefix(uri, qualifiedScheme)
	if !ok {
		return "", uri, false
	}
	escaped, rest, ok := strings.Cut(tail, "/")
	server, err := url.PathUnescape(escaped)
	return server, rest, ok && err == nil
}

// nameAll names every definition, and those that would have one name with more
// digits, until no two are alike: nothing is dropped for its name.
func nameAll(names map[tool.ID]string, list []*offered, name func(tool.ID, int) string) {
	for _, o := range list {
		names[o.def.ID] = name(o.def.ID, 0)
	}
	for digits := leastDigits; digits < maxListed; digits *= 2 {
		taken := make(map[string]int, len(list))
		for _, n := range names {
			taken[n]++
		}
		if len(taken) == len(list) {
			return
		}
		for _, o := range list {
			if taken[names[o.def.ID]] > 1 {
				names[o.def.ID] = name(o.def.ID, digits)
			}
		}
	}
}

func digest(id tool.ID) string {
	sum := sha256.Sum256([]byte(id.Server + ":" + id.Name))
	return hex.EncodeToString(sum[:])
}
