package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/store"
)

const hostile = "a\x1b[31m\u202eb\u200bc\U000E0041\ufe01d\u009be"

func TestExitCode(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		err  error
		want int
	}{
		{"none", t.Context(), nil, 0},
		{"none after Ctrl-C", cancelled, nil, 0},
		{"any", t.Context(), errors.New("x"), 1},
		{"usage", t.Context(), &usageError{}, 2},
		{"locked", t.Context(), fmt.Errorf("x: %w", &store.LockedError{}), 3},
		{"faults", t.Context(), fmt.Errorf("x: %w", config.Faults{{}}), 4},
		{"faults of the instance", t.Context(), &client.Error{Code: "config"}, 4},
		{"no file", t.Context(), fmt.Errorf("%w: x", errNoConfig), 4},
		{"held", t.Context(), fmt.Errorf("x: %w", &client.Error{Code: "held"}), 5},
		{"forbidden", t.Context(), &client.Error{Code: "forbidden"}, 5},
		{"not found", t.Context(), &client.Error{Code: "not_found"}, 1},
		{"Ctrl-C", cancelled, context.Canceled, 130},
	} {
		if got := exitCode(c.ctx, c.err); got != c.want {
			t.Errorf("%s: exitCode = %d, want %d", c.name, got, c.want)
		}
	}
}

// noTrick fails if text has a character that can deceive a terminal.
func noTrick(t *testing.T, what string, text []byte) {
	t.Helper()
	for _, r := range string(text) {
		if escape.Text(string(r)) != string(r) {
			t.Errorf("%s has %U: %q", what, r, text)
		}
	}
}

func TestMarshal_KeepsTheValue(t *testing.T) {
	t.Parallel()
	data, err := marshal(map[string]any{"k" + hostile: hostile, "<&>": "ü 漢 \U0001F600", "raw": json.RawMessage(`"x` + "\u202e" + `y\u001b"`)})
	if err != nil {
		t.Fatal(err)
	}
	noTrick(t, "JSON", data)
	var got map[string]string
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"k" + hostile: hostile, "<&>": "ü 漢 \U0001F600", "raw": "x\u202ey\x1b"}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%q = %q, want %q", k, got[k], v)
		}
	}
	if !bytes.Contains(data, []byte("漢")) || !bytes.Contains(data, []byte("<&>")) {
		t.Errorf("readable text was escaped: %s", data)
	}
}

func FuzzMarshal(f *testing.F) {
	f.Add(hostile)
	f.Add("\\u202e\"")
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			t.Skip()
		}
		data, err := marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		noTrick(t, "JSON", data)
		var back string
		if err := json.Unmarshal(data, &back); err != nil || back != s {
			t.Errorf("%q came back as %q, %v", s, back, err)
		}
	})
}

func TestMarshalYAML(t *testing.T) {
	t.Parallel()
	v := struct {
		Zeta  string          `json:"zeta"`
		Alpha []any           `json:"alpha"`
		Raw   json.RawMessage `json:"raw"`
		Odd   string          `json:"odd"`
		Text  string          `json:"text"`
		None  *int            `json:"none"`
	}{"yes", []any{1, 1.5, true, "1"}, json.RawMessage(`{"b":1152921504606846977,"a":{},"c":[]}`), hostile, "two\nlines: #1", nil}
	data, err := marshalYAML(v)
	if err != nil {
		t.Fatal(err)
	}
	noTrick(t, "YAML", data)
	if !strings.HasPrefix(string(data), "zeta: \"yes\"\n") && !strings.HasPrefix(string(data), "zeta: yes\n") {
		t.Errorf("order is lost:\n%s", data)
	}
	if !strings.Contains(string(data), "1152921504606846977") {
		t.Errorf("a large number is lost:\n%s", data)
	}
	var back struct {
		Zeta string
		Text string
		Raw  struct{ B int64 }
	}
	if err := yaml.Unmarshal(data, &back); err != nil || back.Text != "two\nlines: #1" || back.Raw.B != 1152921504606846977 || back.Zeta != "yes" {
		t.Errorf("back = %+v, %v\n%s", back, err, data)
	}
}

func TestPrintPage_ShowsEverythingSafely(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	printPage(&out, client.Waiting{
		Server: "s" + hostile, State: "pending", Reason: "new", Inspected: true, Hash: "abc",
		Launch: client.Launch{Transport: "stdio", Command: "npx", Args: []string{"-y", "two words", hostile}, EnvNames: []string{"TOKEN"}},
		Tools: []client.Tool{{
			ID: "s:t", Name: "t", Access: "read", State: "pending", Hash: "0123456789abcdef", Description: "first" + hostile + "\nsecond",
			Definition: json.RawMessage(`{"name":"t","description":"hidden twin","inputSchema":{"x-` + "\u202e" + `":"<IMPORTANT>"},"_meta":1}`),
		}},
	})
	noTrick(t, "page", out.Bytes())
	for _, want := range []string{"npx -y 'two words'", "TOKEN", "second", "hidden twin", "<IMPORTANT>", "_meta: 1", "0123456789ab", "1 tool:"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("page lacks %q:\n%s", want, out.String())
		}
	}
}

func TestToolResult_Write(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, want string }{
		{`{"content":[{"type":"text","text":"a\nb"},{"type":"text","text":"c"}]}`, "a\nb\nc\n"},
		{`{"content":[{"type":"image","mimeType":"image/png","data":"AAAA"}]}`, "[image image/png, 4 characters; -o json shows it]\n"},
		{`{"content":[{"type":"resource","resource":{"uri":"file:///x","text":"body"}}]}`, "body\n"},
		{`{"content":[{"type":"resource_link","uri":"file:///x"}]}`, "[resource_link file:///x, 0 characters; -o json shows it]\n"},
		{`{"content":[],"structuredContent":{"n":1}}`, "{\n  \"n\": 1\n}\n"},
	} {
		var r toolResult
		if err := json.Unmarshal([]byte(c.raw), &r); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		r.write(&out)
		if out.String() != c.want {
			t.Errorf("%s printed %q, want %q", c.raw, out.String(), c.want)
		}
	}
}

func TestSentence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"One. Two.", 80, "One."}, {"No stop", 80, "No stop"}, {"a\n  b\tc", 80, "a b c"},
		{"abcdefghij", 8, "abcde..."}, {"ääääääääää", 8, "äääää..."}, {"", 8, ""},
	} {
		if got := sentence(c.text, c.width); got != c.want {
			t.Errorf("sentence(%q, %d) = %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestUpstreamAdd_Change(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args []string
		want string // JSON, or the error's beginning
	}{
		{"command", []string{"x", "--", "npx", "-y", "p"}, `{"name":"x","command":"npx","args":["-y","p"],"enabled":true}`},
		{"env", []string{"--env", "A=b=c", "--env", "B=", "--working-dir", "/w", "--disabled", "x", "c"},
			`{"name":"x","command":"c","args":[],"env":{"A":"b=c","B":""},"working_dir":"/w","enabled":false}`},
		{"url", []string{"x", "--url", "https://h/mcp", "--header", "A: b: c", "--protocol", "sse"},
			`{"name":"x","url":"https://h/mcp","headers":{"A":"b: c"},"protocol":"sse","enabled":true}`},
		{"no command", []string{"x", "--"}, "a command behind --"},
		{"nothing", nil, "NAME is missing"},
		{"only a name", []string{"x"}, "a command behind --"},
		{"both", []string{"x", "c", "--url", "http://h"}, "a server has either"},
		{"env of a URL", []string{"x", "--url", "http://h", "--env", "A=b"}, "--env is for"},
		{"header of a command", []string{"x", "c", "--header", "A: b"}, "--header is for"},
		{"env without value", []string{"x", "c", "--env", "SECRET"}, "--env must be NAME=VALUE"},
	} {
		var f upstreamAddFlags
		cmd := &cobra.Command{Use: "add"}
		f.register(cmd)
		if err := cmd.ParseFlags(c.args); err != nil {
			t.Fatal(err)
		}
		change, err := f.change(cmd, cmd.Flags().Args())
		got, _ := json.Marshal(change)
		if err != nil {
			got = []byte(err.Error())
		}
		if !strings.HasPrefix(string(got), c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
