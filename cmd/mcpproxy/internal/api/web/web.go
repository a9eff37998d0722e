// Package web is the page for people at /ui/: a shell, a style sheet and small
// ES modules, all in the binary. It holds no state and knows nothing that the
// REST API does not tell.
//
// Nothing of an upstream is ever markup: the scripts make text nodes only, and
// the Content-Security-Policy refuses inline script, inline style, other origins
// and every string that would become markup (Trusted Types).
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
)

//go:embed static
var files embed.FS

//go:embed shell.html
var shellText string

var shell = template.Must(template.New("shell").Parse(shellText))

// policy is the Content-Security-Policy of every answer. blob: is for pictures
// that a tool returned, which the page decodes itself.
const policy = "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// page is one entry of the navigation; Slug is its path below /ui/.
type page struct{ Slug, Title, Icon string }

var pages = []page{
	{"", "Overview", "overview"},
	{"servers", "Servers", "servers"},
	{"tools", "Tools", "tools"},
	{"review", "Review", "review"},
	{"activity", "Activity", "activity"},
	{"secrets", "Secrets", "secrets"},
	{"settings", "Settings", "settings"},
	{"connect", "Connect", "connect"},
}

// file is one static file; tag is its ETag.
type file struct {
	data      []byte
	kind, tag string
}

var kinds = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
}

// static holds every embedded file by its name.
var static = readStatic()

func readStatic() map[string]file {
	all := map[string]file{}
	err := fs.WalkDir(files, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		kind, known := kinds[path.Ext(name)]
		if !known {
			return fmt.Errorf("%s: no content type", name)
		}
		all[strings.TrimPrefix(name, "static/")] = file{data, kind, tagOf(data)}
		return nil
	})
	if err != nil {
		panic(err) // what is embedded is there
	}
	return all
}

func tagOf(data []byte) string {
	sum := sha256.Sum256(data)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}

// Serve answers GET /ui/ and everything below it. It sets its own
// Content-Security-Policy and caching: a browser asks again each time and gets
// 304 for what it has.
func Serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
	rest := strings.TrimPrefix(r.URL.Path, "/ui/")
	if name, ok := strings.CutPrefix(rest, "static/"); ok {
		serveFile(w, r, name)
		return
	}
	i := slices.IndexFunc(pages, func(p page) bool { return p.Slug == rest })
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	serveShell(w, r, pages[i])
}

func serveFile(w http.ResponseWriter, r *http.Request, name string) {
	f, ok := static[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	send(w, r, f)
}

// send answers with f, or with 304 to who has it.
func send(w http.ResponseWriter, r *http.Request, f file) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", f.tag)
	if r.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(f.data)
}

// serveShell answers with the page's frame. What is inside comes from the
// scripts; they are named in the head so that all load at once.
func serveShell(w http.ResponseWriter, r *http.Request, current page) {
	var b bytes.Buffer
	err := shell.Execute(&b, struct {
		Pages   []page
		Current page
		Preload []string
	}{pages, current, preload(current)})
	if err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	send(w, r, file{b.Bytes(), "text/html; charset=utf-8", tagOf(b.Bytes())})
}

// preload names the modules that every page uses, and the current page's own.
func preload(current page) []string {
	own := "page_" + current.Icon + ".js"
	list := []string{own}
	for name := range static {
		if path.Ext(name) == ".js" && !strings.HasPrefix(name, "page_") && name != "theme.js" && name != "main.js" {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}
