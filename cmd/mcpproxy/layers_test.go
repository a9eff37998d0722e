package main

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	moduleRoot = "../.."
	moduleName = "mcpproxy"
	maxLines   = 400 // of a file that is not a test
)

// floors is docs/architecture.md as a table: a package imports only packages of
// lower floors. A key ending in /... covers what is below it; the longest wins.
var floors = map[string]int{
	"cmd/...":                       6,
	"cmd/mcpproxy/internal/app":     5,
	"cmd/mcpproxy/internal/app/...": 5,
	"cmd/mcpproxy/internal/...":     4,
	"index":                         3,
	"index/...":                     3,
	"upstream/docker":               3,
	"embed/...":                     2,
	"embed":                         2,
	"quarantine":                    2,
	"quarantine/...":                2,
	"upstream":                      2,
	"upstream/...":                  2,
	"models":                        1,
	"models/...":                    1,
	"internal/...":                  1,
	"internal/atomicfile":           0,
	"internal/escape":               0,
	"internal/realtest":             0,
	"internal/sse":                  0,
	"internal/closest":              0,
	"internal/hint":                 0,
}

// homes lists where each heavy dependency lives. A key is an import path and all
// below it; /... at the end of a home covers what is below it.
var homes = map[string][]string{
	"github.com/philippgille/chromem-go": {"index"},
	"github.com/knights-analytics/hugot": {"embed"},
	"go.etcd.io/bbolt":                   {"internal/store"},
	"github.com/zalando/go-keyring":      {"internal/secret"},
	"github.com/getlantern/systray":      {"cmd/mcpproxy-tray"},
	"github.com/prometheus":              {"cmd/mcpproxy/internal/metrics"},
	"github.com/spf13/cobra":             {"cmd/mcpproxy", "cmd/mcpproxy-bench", "cmd/mcpproxy-tray"},
	"github.com/mark3labs/mcp-go": {"upstream", "upstream/upstreamtest", "upstream/upstreamtest/...", "upstream/oauth",
		"cmd/mcpproxy/internal/proxy", "cmd/mcpproxy/internal/example"},
}

// configImporters may see the whole configuration; everyone else takes a small
// struct.
var configImporters = []string{"cmd/mcpproxy", "cmd/mcpproxy/internal/app", "cmd/mcpproxy/internal/api"}

// topLevel is all that the root of the repository holds, beside dot-files.
var topLevel = strings.Fields("cmd index embed upstream quarantine models internal docs go.mod go.sum Makefile README.md LICENSE" +
	" CHANGELOG.md CONTRIBUTING.md SECURITY.md" + " bin dist") // the last two are built, never tracked

// goFile is one Go file of the module.
type goFile struct {
	path    string // from the root, with slashes
	imports []string
	lines   int
}

func (f goFile) pkg() string  { return path.Dir(f.path) }
func (f goFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// goFiles parses the imports of every Go file, whatever platform or tag it is
// for. It needs no network and no module cache.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	set := token.NewFileSet()
	err := filepath.WalkDir(moduleRoot, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // gone while we walked
		case err != nil:
			return err
		case d.IsDir() && name != moduleRoot && skipped(name, d.Name()):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(set, name, src, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(moduleRoot, name)
		if err != nil {
			return err
		}
		f := goFile{path: filepath.ToSlash(rel), lines: strings.Count(string(src), "\n")}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, imported)
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// skipped reports whether the go tool would not build the directory, or it is
// a module of its own.
func skipped(dir, base string) bool {
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || slices.Contains([]string{"testdata", "bin", "dist", "node_modules"}, base) {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// noFloor is the floor of a package that no rule places.
const noFloor = -1

// floorOf returns the floor of a package, or noFloor.
func floorOf(pkg string) int {
	if floor, ok := floors[pkg]; ok {
		return floor
	}
	for dir := pkg; dir != "."; dir = path.Dir(dir) {
		if floor, ok := floors[dir+"/..."]; ok {
			return floor
		}
	}
	return noFloor
}

// own returns the package of this module that imported names, if it is one.
func own(imported string) (pkg string, ok bool) {
	return strings.CutPrefix(imported, moduleName+"/")
}

// within reports whether pkg is one of the places.
func within(pkg string, places []string) bool {
	return slices.ContainsFunc(places, func(place string) bool {
		below, wild := strings.CutSuffix(place, "/...")
		return pkg == place || wild && strings.HasPrefix(pkg, below+"/")
	})
}

// isTestPackage reports whether pkg serves tests only, such as a contract suite.
func isTestPackage(pkg string) bool { return strings.HasSuffix(pkg, "test") }

// floorFaults returns a sentence for every import that does not lead downwards.
// On one floor a package may import what lies below its folder, and a test
// package (embed/embedtest) what it tests. Tests are free.
func floorFaults(f goFile) (faults []string) {
	from := floorOf(f.pkg())
	if from == noFloor {
		return []string{fmt.Sprintf("%s: package %s has no floor: place it in docs/architecture.md and in the table floors", f.path, f.pkg())}
	}
	for _, imported := range f.imports {
		pkg, ok := own(imported)
		inFolder := strings.HasPrefix(pkg, f.pkg()+"/") || isTestPackage(f.pkg()) && strings.HasPrefix(f.pkg(), pkg+"/")
		switch to := floorOf(pkg); {
		case !ok || f.isTest():
		case isTestPackage(pkg) && !isTestPackage(f.pkg()):
			faults = append(faults, fmt.Sprintf("%s imports %s, which is for tests: move what the program needs out of it, or the importer into a _test.go file", f.path, pkg))
		case inFolder:
		case to == from:
			faults = append(faults, fmt.Sprintf("%s imports %s of its own floor %d: declare the one to three methods it needs as an interface where it uses them, and let app pass the rest", f.path, pkg, from))
		case to > from:
			faults = append(faults, fmt.Sprintf("%s (floor %d) imports %s (floor %d): only lower floors may be imported; move the type that both need down, or turn the call round with an interface", f.path, from, pkg, to))
		}
	}
	return faults
}

// homeFaults returns a sentence for every heavy dependency away from home.
// Tests may use mcp-go anywhere, as the other side of a conversation.
func homeFaults(f goFile) (faults []string) {
	for _, imported := range f.imports {
		for dependency, places := range homes {
			if imported != dependency && !strings.HasPrefix(imported, dependency+"/") {
				continue
			}
			if within(f.pkg(), places) || f.isTest() && strings.HasSuffix(dependency, "/mcp-go") {
				continue
			}
			faults = append(faults, fmt.Sprintf("%s imports %s, whose home is %s: ask that package for what is needed instead", f.path, imported, strings.Join(places, ", ")))
		}
	}
	return faults
}

// configFaults returns a sentence if f reads the whole configuration and must
// not.
func configFaults(f goFile) []string {
	if !slices.Contains(f.imports, moduleName+"/internal/config") || f.isTest() ||
		within(f.pkg(), append(configImporters, "internal/config", "internal/config/...")) {
		return nil
	}
	return []string{fmt.Sprintf("%s imports internal/config, which only %s may: take a small Options or Spec struct that app fills", f.path, strings.Join(configImporters, ", "))}
}

// lengthFaults returns a sentence if f is too long to read.
func lengthFaults(f goFile) []string {
	if f.isTest() || f.lines <= maxLines {
		return nil
	}
	return []string{fmt.Sprintf("%s has %d lines, more than %d: a file has one subject; name the second one and move it to a file of that name", f.path, f.lines, maxLines)}
}

func TestLayers(t *testing.T) {
	t.Parallel()
	files := goFiles(t)
	if len(files) < 50 {
		t.Fatalf("found %d Go files only: the walk is broken", len(files))
	}
	for _, f := range files {
		for _, rule := range []func(goFile) []string{floorFaults, homeFaults, configFaults, lengthFaults} {
			for _, fault := range rule(f) {
				t.Error(fault)
			}
		}
	}
}

func TestLayers_TopLevel(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := e.Name(); !strings.HasPrefix(name, ".") && !slices.Contains(topLevel, name) {
			t.Errorf("%s lies at the top of the repository, where only %s belong: a package goes below internal/ or cmd/, a document below docs/, a script below .ci/", name, strings.Join(topLevel, " "))
		}
	}
}

// The rules themselves, each broken once.
func TestLayers_RulesFindFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		file  goFile
		rule  func(goFile) []string
		fault string // part of the sentence; empty: none
	}{
		{"down", goFile{path: "index/a.go", imports: []string{"mcpproxy/embed", "sort"}}, floorFaults, ""},
		{"up", goFile{path: "index/a.go", imports: []string{"mcpproxy/cmd/mcpproxy/internal/app"}}, floorFaults, "only lower floors"},
		{"sideways", goFile{path: "quarantine/a.go", imports: []string{"mcpproxy/upstream"}}, floorFaults, "its own floor 2"},
		{"ground on bedrock", goFile{path: "internal/secret/a.go", imports: []string{"mcpproxy/internal/atomicfile"}}, floorFaults, ""},
		{"bedrock up", goFile{path: "internal/atomicfile/a.go", imports: []string{"mcpproxy/internal/event"}}, floorFaults, "only lower floors"},
		{"ground sideways", goFile{path: "internal/event/a.go", imports: []string{"mcpproxy/internal/tool"}}, floorFaults, "its own floor 1"},
		{"own folder", goFile{path: "models/a.go", imports: []string{"mcpproxy/models/default"}}, floorFaults, ""},
		{"contract suite", goFile{path: "embed/embedtest/a.go", imports: []string{"mcpproxy/embed"}}, floorFaults, ""},
		{"contract suite in the program", goFile{path: "index/a.go", imports: []string{"mcpproxy/embed/embedtest"}}, floorFaults, "is for tests"},
		{"sideways in a test", goFile{path: "quarantine/a_test.go", imports: []string{"mcpproxy/upstream"}}, floorFaults, ""},
		{"no floor", goFile{path: "misc/a.go"}, floorFaults, "has no floor"},
		{"app below main", goFile{path: "cmd/mcpproxy/serve.go", imports: []string{"mcpproxy/cmd/mcpproxy/internal/app"}}, floorFaults, ""},
		{"bbolt at home", goFile{path: "internal/store/a.go", imports: []string{"go.etcd.io/bbolt/errors"}}, homeFaults, ""},
		{"bbolt away", goFile{path: "index/a.go", imports: []string{"go.etcd.io/bbolt"}}, homeFaults, "whose home is internal/store"},
		{"bbolt away in a test", goFile{path: "index/a_test.go", imports: []string{"go.etcd.io/bbolt"}}, homeFaults, "whose home is"},
		{"mcp-go in a test", goFile{path: "index/a_test.go", imports: []string{"github.com/mark3labs/mcp-go/mcp"}}, homeFaults, ""},
		{"cobra below main", goFile{path: "cmd/mcpproxy/internal/api/a.go", imports: []string{"github.com/spf13/cobra"}}, homeFaults, "whose home is"},
		{"config", goFile{path: "cmd/mcpproxy/internal/proxy/a.go", imports: []string{"mcpproxy/internal/config"}}, configFaults, "Options or Spec"},
		{"config in app", goFile{path: "cmd/mcpproxy/internal/app/a.go", imports: []string{"mcpproxy/internal/config"}}, configFaults, ""},
		{"long", goFile{path: "index/a.go", lines: 401}, lengthFaults, "401 lines"},
		{"long test", goFile{path: "index/a_test.go", lines: 401}, lengthFaults, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(tt.rule(tt.file), "\n")
			if (got == "") != (tt.fault == "") || !strings.Contains(got, tt.fault) {
				t.Errorf("fault = %q, want one with %q", got, tt.fault)
			}
		})
	}
}
