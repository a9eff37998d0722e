package web

import (
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

const maxWeight = 150_000 // bytes of everything that the page can load

func TestPage_Weight(t *testing.T) {
	t.Parallel()
	total := len(shellText)
	for name, f := range static {
		total += len(f.data)
		if len(f.data) > 24<<10 {
			t.Errorf("%s has %d bytes: a file has one subject", name, len(f.data))
		}
	}
	if total > maxWeight {
		t.Errorf("the page weighs %d bytes, more than %d", total, maxWeight)
	}
	t.Logf("the page weighs %d bytes in %d files", total, len(static))
}

// What would make markup out of text, or fetch from elsewhere, is not in the
// sources; the browser would refuse it as well.
func TestPage_MakesNoMarkupAndLoadsNothingForeign(t *testing.T) {
	t.Parallel()
	never := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|DOMParser|createContextualFragment|srcdoc|javascript:|<style|style=|\son[a-z]+=`)
	remote := regexp.MustCompile(`(src|href|import|url)\s*[(=]?\s*['"(]?https?://`)
	for name, f := range static {
		text := string(f.data)
		if path.Ext(name) == ".svg" {
			continue
		}
		if m := never.FindString(text); m != "" {
			t.Errorf("%s has %q", name, m)
		}
		if m := remote.FindString(text); m != "" {
			t.Errorf("%s loads from elsewhere: %q", name, m)
		}
	}
	if m := never.FindString(shellText); m != "" {
		t.Errorf("the shell has %q", m)
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	for _, p := range pages {
		w := httptest.NewRecorder()
		Serve(w, httptest.NewRequest("GET", "/ui/"+p.Slug, nil))
		body := w.Body.String()
		if w.Code != 200 || !strings.Contains(body, "<title>"+p.Title+" · mcpproxy</title>") || strings.Count(body, "aria-current") != 1 {
			t.Errorf("/ui/%s = %d\n%s", p.Slug, w.Code, body)
		}
		if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'self';") || !strings.Contains(got, "require-trusted-types-for 'script'") {
			t.Errorf("/ui/%s: policy %q", p.Slug, got)
		}
		for _, m := range regexp.MustCompile(`(?:src|href)="/ui/static/([^"#]+)`).FindAllStringSubmatch(body, -1) {
			if _, ok := static[m[1]]; !ok {
				t.Errorf("/ui/%s names %s, which is not there", p.Slug, m[1])
			}
		}
	}
}

func TestServe_NothingElse(t *testing.T) {
	t.Parallel()
	for _, p := range []string{"/ui/none", "/ui/static/", "/ui/static/none.js", "/ui/static/../web.go", "/ui/shell.html", "/ui/servers/x"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/ui/", nil)
		r.URL.Path = p
		Serve(w, r)
		if w.Code != 404 {
			t.Errorf("%s = %d", p, w.Code)
		}
	}
}

func TestServe_AsksAgainByTag(t *testing.T) {
	t.Parallel()
	for name, f := range static {
		r := httptest.NewRequest("GET", "/ui/static/"+name, nil)
		r.Header.Set("If-None-Match", f.tag)
		w := httptest.NewRecorder()
		Serve(w, r)
		if w.Code != 304 || w.Body.Len() != 0 {
			t.Errorf("%s = %d with %d bytes", name, w.Code, w.Body.Len())
		}
	}
}

// Every module that a module names is there, and every page of the navigation
// has its own.
func TestModules_ImportWhatIsThere(t *testing.T) {
	t.Parallel()
	imports := regexp.MustCompile(`from '\./([^']+)'`)
	for name, f := range static {
		for _, m := range imports.FindAllStringSubmatch(string(f.data), -1) {
			if _, ok := static[m[1]]; !ok {
				t.Errorf("%s imports %s, which is not there", name, m[1])
			}
		}
	}
	for _, p := range pages {
		if _, ok := static["page_"+p.Icon+".js"]; !ok {
			t.Errorf("page %s has no module", p.Title)
		}
	}
}
