package api

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// web holds the page and all it needs. It is static: what it shows comes from
// the routes that ask who is there.
//
//go:embed web
var web embed.FS

// uiPolicy lets the page load what this origin serves, and nothing else.
const uiPolicy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// contentTypes are those of the page's files. They are written down because
// systems disagree, Windows registries most of all.
var contentTypes = map[string]string{
	".html":  "text/html; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".json":  "application/json",
	".svg":   "image/svg+xml",
	".png":   "image/png",
	".ico":   "image/x-icon",
	".woff2": "font/woff2",
	".txt":   "text/plain; charset=utf-8",
}

// ui serves one file of the page; a folder is its index.html.
func (a *API) ui(w http.ResponseWriter, r *http.Request) {
	name := path.Join("web", r.PathValue("path"))
	if name == "web" || strings.HasSuffix(r.URL.Path, "/") {
		name = path.Join(name, "index.html")
	}
	data, err := fs.ReadFile(web, name)
	kind, known := contentTypes[path.Ext(name)]
	if err != nil || !known {
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256(data)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	h := w.Header()
	h.Set("Content-Security-Policy", uiPolicy)
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-cache") // asks each time, by its tag
	h.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(data) //nolint:gosec // a file of the program, chosen by name
}

// front sends who types only the address to the page.
func (a *API) front(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/ui/", http.StatusFound)
}
