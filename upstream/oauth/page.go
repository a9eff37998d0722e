package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
)

// page is what the browser shows at the end.
type page struct {
	Title, Text string
	Quote       string // the authorization server's own words
	Next        string // a command
	Good        bool
	Style       template.CSS
	Script      template.JS
}

const (
	pageStyle = `body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem;color:#1c2430;background:#fff}` +
		`h1{font-size:1.4rem;margin:0 0 .5rem}p{margin:.5rem 0;white-space:pre-line;overflow-wrap:anywhere}` +
		`blockquote{margin:.5rem 0;padding-left:.8rem;border-left:3px solid #b8c0cc;color:#4a5565;overflow-wrap:anywhere}` +
		`code{background:#eef1f5;padding:.1rem .35rem;border-radius:.25rem}` +
		`@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#14181f}code{background:#262d38}blockquote{color:#aab4c2}}`
	// pageScript closes the tab where browsers allow that.
	pageScript = `setTimeout(function(){window.close()},3000)`
)

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Title}} - mcpproxy</title><style>{{.Style}}</style></head>
<body><main><h1>{{.Title}}</h1><p>{{.Text}}</p>
{{- if .Quote}}<p>The login page said:</p><blockquote>{{.Quote}}</blockquote>{{end}}
{{- if .Next}}<p>To try again: <code>{{.Next}}</code></p>{{end}}</main>
{{- if .Good}}<script>{{.Script}}</script>{{end}}</body></html>
`))

// pagePolicy allows our one style and script and nothing else.
var pagePolicy = "default-src 'none'; style-src '" + source(pageStyle) + "'; script-src '" + source(pageScript) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// source names an inline text in a content security policy.
func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (c *callback) page(w http.ResponseWriter, status int, p page) {
	p.Style, p.Script = pageStyle, pageScript
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = pageTemplate.Execute(w, p)
}

// trimRedirect returns host and port of a redirect URI that we made.
func trimRedirect(redirect string) string {
	return strings.TrimSuffix(strings.TrimPrefix(redirect, "http://"), callbackPath)
}
