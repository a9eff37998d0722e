package config

import (
	"errors"
	"strings"
	"testing"
)

const withSecrets = `{
  // mine
  "top_k": 7,
  "mcpServers": [
    {"name": "a", "command": "x", "args": ["--plain"], "env": {"TOKEN": "s3cret", "REF": "${keyring:a}", "EMPTY": "", "N": 5}, // end
     "oauth": {"client_id": "id", "client_secret": "s3cret"}},
    {"name": "b", "url": "https://user:s3cret@host/p", "headers": {"Authorization": "Bearer s3cret", "X": "Bearer ${env:T}"}},
    {"name": "c", "url": "https://host/p?key=s3cret"},
    {"name": "d", "url": "https://host/p", "env": ["K=s3cret"]},
  ],
}
`

func TestRedact_HidesValuesOnly(t *testing.T) {
	t.Parallel()
	shown, hidden, err := Redact([]byte(withSecrets))
	if err != nil || hidden != 7 {
		t.Fatalf("hidden = %d, %v, want 7", hidden, err)
	}
	if strings.Contains(string(shown), "s3cret") {
		t.Errorf("a secret is shown:\n%s", shown)
	}
	for _, kept := range []string{"// mine", `"top_k": 7`, "// end", "${keyring:a}", "Bearer ${env:T}", `"--plain"`, `"https://host/p"`, `"EMPTY": ""`, "client_id"} {
		if !strings.Contains(string(shown), kept) {
			t.Errorf("%s is missing in\n%s", kept, shown)
		}
	}
	if strings.Count(string(shown), "\n") != strings.Count(withSecrets, "\n") {
		t.Error("lines moved")
	}
	back, err := Restore(shown, []byte(withSecrets))
	if err != nil || string(back) != withSecrets {
		t.Errorf("restored with %v:\n%s", err, back)
	}
}

func TestRedact_NotOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	var faults Faults
	if shown, _, err := Redact([]byte(`{"mcpServers": [{"env": {"A": "s3cret"}`)); !errors.As(err, &faults) || shown != nil {
		t.Errorf("Redact = %q, %v, want faults", shown, err)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	const from = `{"mcpServers": {"a": {"command": "x", "env": {"T": "one"}}, "b": {"command": "y", "env": {"T": "two"}}}}`
	for _, c := range []struct{ name, text, want, fault string }{
		{"kept", `{"mcpServers": {"a": {"env": {"T": "**redacted**"}}}}`, `{"mcpServers": {"a": {"env": {"T": "one"}}}}`, ""},
		{"moved server", `{"mcpServers": {"b": {"env": {"T": "**redacted**"}}, "a": {}}}`, `{"mcpServers": {"b": {"env": {"T": "two"}}, "a": {}}}`, ""},
		{"other form", `{"mcpServers": [{"env": {"T": "**redacted**"}, "name": "a"}]}`, `{"mcpServers": [{"env": {"T": "one"}, "name": "a"}]}`, ""},
		{"new value", `{"mcpServers": {"a": {"env": {"T": "three"}}}}`, `{"mcpServers": {"a": {"env": {"T": "three"}}}}`, ""},
		{"renamed server", `{"mcpServers": {"c": {"env": {"T": "**redacted**"}}}}`, "", "line 1"},
		{"other variable", `{"mcpServers": {"a": {"env": {"U": "**redacted**"}}}}`, "", "line 1"},
		{"to headers", `{"mcpServers": {"a": {"headers": {"T": "**redacted**"}}}}`, "", "line 1"},
		{"to args", "{\"mcpServers\": {\"a\": {\n\"args\": [\"**redacted**\"]}}}", "", "line 2"},
		{"to the top", `{"listen": "**redacted**"}`, "", "line 1"},
		{"no text", `{`, "", "the file ends"},
	} {
		got, err := Restore([]byte(c.text), []byte(from))
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%s: %v, want a fault at %s", c.name, err, c.fault)
			}
			continue
		}
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v, want %s", c.name, got, err, c.want)
		}
	}
}

func TestFile_Rewrite(t *testing.T) {
	t.Parallel()
	f := NewFile(t.TempDir() + "/c.json")
	text, err := f.Text()
	if err != nil || string(text) != string(Template()) {
		t.Fatalf("Text of a missing file: %v", err)
	}
	const next = "{\n  \"top_k\": 3 // few\n}\n"
	write := func(text string) func([]byte) ([]byte, error) {
		return func([]byte) ([]byte, error) { return []byte(text), nil }
	}
	if err := f.Rewrite(Hash(text), write(next)); err != nil {
		t.Fatal(err)
	}
	if err := f.Rewrite(Hash(text), write("{}")); !errors.Is(err, ErrMoved) {
		t.Errorf("with the old hash: %v, want ErrMoved", err)
	}
	var faults Faults
	if err := f.Rewrite(Hash([]byte(next)), write(`{"top_k": "x"}`)); !errors.As(err, &faults) {
		t.Errorf("of a faulty text: %v, want faults", err)
	}
	if err := f.SetTops([]Field{{Key: "tools_limit", Value: 9}, {Key: "top_k"}}); err != nil {
		t.Fatal(err)
	}
	if text, err = f.Text(); err != nil || !strings.Contains(string(text), `"tools_limit": 9`) || strings.Contains(string(text), `"top_k"`) {
		t.Errorf("after SetTops: %s, %v", text, err)
	}
}

// What was hidden comes back, byte for byte, and is not in what was shown.
func FuzzRedact(f *testing.F) {
	for _, seed := range []string{withSecrets, `{}`, `{"mcpServers": {"a": {"env": {"A": "b"}}}}`, `{"mcpServers": [{"name": 3, "headers": [1]}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, _, err := Parse(text); err != nil || strings.Contains(string(text), "redacted") {
			return
		}
		shown, _, err := Redact(text)
		if err != nil {
			t.Fatalf("a good text is not redacted: %v", err)
		}
		back, err := Restore(shown, text)
		if err != nil || string(back) != string(text) {
			t.Errorf("restored %q as %q, %v", text, back, err)
		}
	})
}

// TestRedact_BesideAPlaceholder: a placeholder shows itself, not what was written
// around it.
func TestRedact_BesideAPlaceholder(t *testing.T) {
	t.Parallel()
	for value, shown := range map[string]bool{
		"${keyring:a}": true, "${keyring:a}${env:B}": true, "Bearer ${keyring:a}": true,
		"${env:USER}:hunter2": false, "hunter2${env:B}": false, "Bearer hunter2 ${env:B}": false, "hunter2 ${env:B}": false, "${env:B": false,
	} {
		text := []byte(`{"mcpServers": [{"name": "s", "command": "x", "env": {"K": "` + value + `"}}]}`)
		out, hidden, err := Redact(text)
		if err != nil || (hidden == 0) != shown || strings.Contains(string(out), "hunter2") {
			t.Errorf("Redact of %q = %s, %d hidden, %v", value, out, hidden, err)
		}
		if back, err := Restore(out, text); err != nil || string(back) != string(text) {
			t.Errorf("Restore of %q = %s, %v", value, back, err)
		}
	}
}
