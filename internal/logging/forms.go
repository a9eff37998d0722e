package logging

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// minLine is the length from which a line of a secret, such as one of a PEM
// file, is a secret of its own: logs are written line by line.
const minLine = 16

// formsOf returns the ways in which value may stand in a log, each at least
// [MinSecret] bytes long; some may be equal.
func formsOf(value string) []string {
	all := []string{value, escape(value), strings.Trim(strconv.Quote(value), `"`)}
	for _, html := range []bool{false, true} {
		once := quoted(value, html)
		all = append(all, once, quoted(once, html)) // JSON within a JSON string
	}
	for _, escaped := range []string{url.QueryEscape(value), url.PathEscape(value)} {
		all = append(all, escaped, lowerHex(escaped))
	}
	for before := range 3 {
		text := base64Of(value, before)
		all = append(all, text, strings.NewReplacer("+", "-", "/", "_").Replace(text))
	}
	if lines := strings.Split(value, "\n"); len(lines) > 1 {
		for _, line := range lines {
			if line = strings.TrimSpace(line); len(line) >= minLine {
				all = append(all, formsOf(line)...)
			}
		}
	}
	long := all[:0]
	for _, form := range all {
		if len(form) >= MinSecret {
			long = append(long, form)
		}
	}
	return long
}

// quoted is value as the inside of a JSON string.
func quoted(value string, html bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if enc.Encode(value) != nil {
		return value
	}
	text := strings.TrimSuffix(b.String(), "\n")
	return text[1 : len(text)-1]
}

// lowerHex writes %2F as %2f.
func lowerHex(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], bytes.ToLower(b[i+1:i+3]))
			i += 2
		}
	}
	return string(b)
}

// base64Of returns the characters that value alone decides in the base64 of a
// text that has it behind 0, 1 or 2 bytes more than a multiple of three, such as
// "user:" in front of a password.
func base64Of(value string, before int) string {
	text := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), value...))
	first := (before*8 + 5) / 6            // its characters hold bits of what is before
	whole := (before + len(value)) * 8 / 6 // the one after holds bits of what follows
	return text[first:whole]
}
