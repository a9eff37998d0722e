package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"mcpproxy/internal/client"
	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
)

var update = flag.Bool("update", false, "rewrite the answers in testdata")

// stage is the file world.json of a transcript.
type stage struct {
	Tools    map[string][]json.RawMessage
	Held     []string // ids
	Results  map[string]json.RawMessage
	Servers  []client.Server
	Log      []string
	Limits   *Limits
	Policy   *Policy
	Waiting  []string
	Starting []string

	Prompts, Resources, Templates map[string][]json.RawMessage
	Instructions                  map[string]string
	Fetched                       map[string]json.RawMessage // by target
}

// others adds what is no tool.
func (s stage) others(t *testing.T, w *world) {
	for kind, of := range map[tool.Kind]map[string][]json.RawMessage{tool.Prompt: s.Prompts, tool.Resource: s.Resources, tool.Template: s.Templates} {
		for server, list := range of {
			for _, raw := range list {
				w.addOther(t, kind, server, string(raw))
			}
		}
	}
	for server, text := range s.Instructions {
		w.addOther(t, tool.Instructions, server, `{"instructions":`+string(quote(text))+`}`)
	}
	w.fetch = func(_ context.Context, f upstream.Fetch) (json.RawMessage, error) {
		if raw, ok := s.Fetched[f.ID.Target()]; ok {
			return raw, nil
		}
		return nil, &upstream.RPCError{Code: -32602, Message: "no such thing"}
	}
}

func (s stage) world(t *testing.T) *world {
	w := newWorld()
	for server, list := range s.Tools {
		for _, raw := range list {
			w.add(t, server, string(raw))
		}
	}
	for _, name := range s.Held {
		w.held[tool.ParseTarget(name)] = true
	}
	s.others(t, w)
	if s.Limits != nil {
		w.limits = *s.Limits
	}
	if s.Policy != nil {
		w.policy = *s.Policy
	}
	w.servers, w.log = s.Servers, s.Log
	w.overview.Waiting, w.overview.Starting = s.Waiting, s.Starting
	w.call = func(_ context.Context, c upstream.Call) (upstream.Result, error) {
		return upstream.Result{Raw: s.Results[c.ID.String()]}, nil
	}
	return w
}

var randomKey = regexp.MustCompile(`\b[A-Z2-7]{26}\b`)

// TestTranscripts posts every "-> METHOD ..." of testdata/*.txtar in order and
// compares the answer with the "<-" that follows. KEY stands for the key of the
// answer before.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d transcripts, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var s stage
			d := json.NewDecoder(bytes.NewReader(archive.Files[0].Data))
			d.DisallowUnknownFields()
			if err := d.Decode(&s); err != nil {
				t.Fatalf("world.json: %v", err)
			}
			w := s.world(t)
			a, p := w.agent(t)
			w.offer(p)
			files, key := archive.Files[:1:1], "KEY"
			for i, f := range archive.Files {
				title, isRequest := strings.CutPrefix(f.Name, "-> ")
				if !isRequest {
					continue
				}
				method, _, _ := strings.Cut(title, " ")
				messages, _ := a.post(method, strings.ReplaceAll(strings.TrimSpace(string(f.Data)), "KEY", key))
				got := pretty(t, messages[len(messages)-1])
				if k := randomKey.FindString(got); k != "" {
					key = k
					got = strings.ReplaceAll(got, k, "KEY")
				}
				files = append(files, f, txtar.File{Name: "<-", Data: []byte(got)})
				if *update {
					continue
				}
				if i+1 >= len(archive.Files) || string(archive.Files[i+1].Data) != got {
					t.Errorf("%s: the answer differs from the transcript (go test -update rewrites it):\n%s", f.Name, got)
				}
			}
			if *update {
				archive.Files = files
				if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// pretty shows the result of a message: the text blocks as text, the rest as
// JSON.
func pretty(t *testing.T, message json.RawMessage) string {
	t.Helper()
	fields, err := members(message)
	if err != nil {
		t.Fatal(err)
	}
	raw := get(fields, "result")
	if raw == nil {
		raw = get(fields, "error")
	}
	list, err := members(raw)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, block := range readBlocks(get(list, "content")) {
		switch {
		case block.kind != "text":
			b.WriteString("[block] " + string(block.raw) + "\n")
		case sameJSON(block.text, orElse(get(list, "structuredContent"), "-")):
			b.WriteString("[text] as structuredContent\n")
		default:
			b.WriteString("[text]\n" + strings.TrimRight(block.text, "\n") + "\n")
		}
	}
	for _, m := range list {
		if m.Key == "content" {
			continue
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, m.Value, "", "  "); err != nil {
			t.Fatal(err)
		}
		b.WriteString(m.Key + ": " + indented.String() + "\n")
	}
	return b.String()
}
