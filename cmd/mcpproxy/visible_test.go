package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/realtest"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// trick is text that moves a cursor, hides words or turns them around: an ANSI
// sequence, bidi marks, zero-width characters, tag characters, C1 and a bell.
const trick = "\x1b[2Ka\u202eb\u2066c\u200bd\u200ee\U000e0041f\u009bg\ah\ufeffi"

// invisible reports whether a terminal or a reader would not see r as it is.
func invisible(r rune) bool {
	return r != '\n' && r != '\t' && (r < ' ' || r == 0x7f || unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || r >= 0xe0000 && r <= 0xe007f)
}

func checkVisible(t *testing.T, what string, text []byte) {
	t.Helper()
	if at := strings.IndexFunc(string(text), invisible); at >= 0 {
		t.Errorf("%s prints a raw %U:\n%.300q", what, []rune(string(text)[at:])[0], string(text)[max(at-100, 0):])
	}
}

// tricky has the trick in everything that it says.
func tricky() upstreamtest.Script {
	quoted, _ := json.Marshal(trick)
	fill := func(format string) json.RawMessage {
		return json.RawMessage(strings.ReplaceAll(format, "%", strings.Trim(string(quoted), `"`)))
	}
	return upstreamtest.Script{
		Name: trick, Instructions: "Read " + trick, Stderr: trick + "\n", Fault: "fault " + trick,
		Tools: []json.RawMessage{
			fill(`{"name":"plain","title":"%","description":"plain tool %","inputSchema":{"type":"object","properties":{"%":{"type":"string","description":"%","enum":["%"]}}},"annotations":{"title":"%","readOnlyHint":true},"%":"%"}`),
			fill(`{"name":"n%","description":"named oddly"}`),
			upstreamtest.Tool(upstreamtest.Fail),
		},
		Others: upstreamtest.Others{
			Prompts:   []json.RawMessage{fill(`{"name":"p%","description":"%"}`)},
			Resources: []json.RawMessage{fill(`{"uri":"notes://%","name":"%","description":"%"}`)},
			Templates: []json.RawMessage{fill(`{"uriTemplate":"notes://{x}%","name":"%"}`)},
		},
	}
}

// trickyArguments are what each command is tried with; nil leaves it out, with
// the reason.
var trickyArguments = map[string][][]string{
	"status": {{}}, "doctor": {{}}, "version": {{}},
	"upstream list": {{}}, "upstream logs": {{"odd"}}, "upstream disable": {{"spare"}}, "upstream enable": {{"spare"}}, "upstream restart": {{"odd"}},
	"upstream add": {{"n" + trick, "--", "c" + trick}}, "upstream remove": {{"n" + trick}},
	"quarantine list": {{}}, "quarantine inspect": {{"odd"}, {"spare"}, {"n" + trick}}, "quarantine diff": {{"odd:plain"}, {"odd:plain", "--side-by-side"}, {"odd:n" + trick}},
	"quarantine approve": {{"odd"}, {"odd:plain"}, {"spare"}, {"odd", "--hash", "x" + trick}}, "quarantine block": {{"odd:n" + trick}}, "quarantine unblock": {{"odd:n" + trick}},
	"quarantine history": {{}}, "quarantine scan": {{}, {"--server", "spare"}}, "quarantine restore": {{"--list"}, {"1" + trick}},
	"audit list": {{}}, "audit export": {{}, {"--format", "csv"}},
	"tools list": {{"-s", "odd"}, {"-s", "spare", "-l", "trace"}}, "search": {{"plain tool"}, {"plain tool", "--explain"}, {trick}},
	"call tool":    {{"--tool-name", "odd:fail", "--json_args", "{}"}, {"--tool-name", "odd:plain", "--json_args", "{}"}, {"--tool-name", "odd:n" + trick}, {"--tool-name", "upstream_servers", "--json_args", `{"operation":"list"}`}},
	"index status": {{}}, "index rebuild": {{}}, "index eval": nil, // reads files of the caller's own
	"models list": {{}}, "models verify": {{trick}}, "models add": {{trick, "--from", trick}}, "models use": {{trick}}, "models remove": {{trick}},
	"auth list": {{}}, "auth status": {{}, {"odd"}}, "auth login": {{"n" + trick}}, "auth logout": {{"n" + trick}},
}

// TestOutput_HidesNothing runs the commands on servers whose every text is a
// trick: no command, log or record has a character that a reader does not see.
func TestOutput_HidesNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("150 commands one after another: go test -run HidesNothing ./cmd/mcpproxy")
	}
	in := &instance{dir: t.TempDir(), addr: freeAddr(t)}
	odd, spare := tricky(), tricky()
	clean := odd
	clean.Tools = []json.RawMessage{upstreamtest.Tool("plain"), upstreamtest.Tool(upstreamtest.Fail)}
	servers := map[string]any{}
	set := func(name string, script upstreamtest.Script) {
		spec, err := upstreamtest.Command(upstream.Spec{}, script)
		if err != nil {
			t.Fatal(err)
		}
		servers[name] = map[string]any{"command": spec.Command, "env": spec.Env}
	}
	set("odd", clean)
	set("spare", spare)
	in.configure(t, servers)
	in.start(t)
	c, err := client.Dial(in.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	page, err := c.Inspect(t.Context(), "odd", client.ListOptions{})
	if err == nil {
		_, err = c.Approve(t.Context(), "odd", page.Hash)
	}
	if err != nil {
		t.Fatal(err)
	}
	set("odd", odd)
	in.configure(t, servers)
	realtest.Until(t, "the change to be held", func() error {
		p, err := c.Page(t.Context(), "odd")
		if err == nil && (len(p.Tools) < 2 || p.State != "approved") {
			err = fmt.Errorf("%s, %d wait", p.State, len(p.Tools))
		}
		return err
	})
	tried := 0
	leaves(newRootCommand(&global{}), func(cmd *cobra.Command) {
		name := strings.TrimPrefix(cmd.CommandPath(), "mcpproxy ")
		for _, args := range trickyArguments[name] {
			formats := []string{""}
			if cmd.Flags().Lookup("output") != nil {
				formats = []string{"table", "json", "yaml"}
			}
			for _, f := range formats {
				tried++
				in.look(t, strings.Fields(name), args, f)
			}
		}
	})
	if tried < 60 {
		t.Errorf("only %d commands were tried", tried)
	}
	lookAtFiles(t, in.dir)
}

func leaves(cmd *cobra.Command, do func(*cobra.Command)) {
	for _, sub := range cmd.Commands() {
		leaves(sub, do)
	}
	if !cmd.HasSubCommands() {
		do(cmd)
	}
}

// look runs one command and reads what it prints.
func (in *instance) look(t *testing.T, name, args []string, format string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	line := append([]string{"-d", in.dir}, name...)
	if format != "" {
		line = append(line, "-o", format)
	}
	cmd := exec.CommandContext(ctx, "mcpproxy", append(line, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+in.dir, "XDG_STATE_HOME="+in.dir)
	out, _ := cmd.CombinedOutput() // many must fail: what they say counts
	checkVisible(t, fmt.Sprintf("mcpproxy %q", append(name, append(args, format)...)), out)
}

// lookAtFiles reads the logs and the record.
func lookAtFiles(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".log") && !strings.HasSuffix(path, "audit.jsonl") {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil {
			checkVisible(t, path, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
