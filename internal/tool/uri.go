package tool

import (
	"fmt"
	"net/url"
	"strings"
)

// PlainURI returns the one spelling of all that RFC 3986, section 6.2.2, calls
// equivalent: scheme and host in lower case, escapes in upper case and only where
// they are needed, no dot segments. What may not stand in a URI is escaped. It is
// its own plain spelling.
func PlainURI(uri string) string {
	for {
		plain := plainer(uri)
		if plain == uri {
			return plain
		}
		uri = plain // what stood behind dots may be a scheme or a host now
	}
}

func plainer(uri string) string {
	uri = plainEscapes(uri)
	end := strings.IndexAny(uri, "?#")
	if end < 0 {
		end = len(uri)
	}
	path, rest := uri[:end], uri[end:]
	scheme, tail, ok := strings.Cut(path, ":")
	if !ok || strings.Contains(scheme, "/") {
		return withoutDots(path) + rest
	}
	head := strings.ToLower(scheme) + ":"
	if after, ok := strings.CutPrefix(tail, "//"); ok {
		authority := after
		if slash := strings.Index(after, "/"); slash >= 0 {
			authority = after[:slash]
		}
		tail = after[len(authority):]
		user := strings.LastIndex(authority, "@") + 1
		head += "//" + authority[:user] + plainEscapes(strings.ToLower(authority[user:]))
	}
	return head + withoutDots(tail) + rest
}

// plainEscapes decodes the escapes of unreserved characters, writes the others in
// upper case, and escapes what may not stand in a URI.
func plainEscapes(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' && i+2 < len(text) {
			if s, err := url.PathUnescape(text[i : i+3]); err == nil {
				if c = s[0]; unreserved(c) {
					b.WriteByte(c)
				} else {
					fmt.Fprintf(&b, "%%%02X", c)
				}
				i += 2
				continue
			}
		}
		if unreserved(c) || strings.IndexByte(":/?#[]@!$&'()*+,;=", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// withoutDots takes "." and ".." out of a path, whether it begins with a slash or
// not; nothing goes above its root.
func withoutDots(path string) string {
	path, rooted := strings.CutPrefix(path, "/")
	parts := strings.Split(path, "/")
	var kept []string
	for i, part := range parts {
		switch part {
		case "..":
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
		case ".":
		default:
			kept = append(kept, part)
			continue
		}
		if i == len(parts)-1 && len(kept) > 0 {
			kept = append(kept, "")
		}
	}
	path = strings.Join(kept, "/")
	if rooted {
		path = "/" + path
	}
	return path
}
