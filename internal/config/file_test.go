package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcpproxy/internal/config"
)

// edited writes text to a file, applies edit and returns the file's new text.
func edited(t testing.TB, text string, edit func(*config.File) error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), config.FileName)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := edit(config.NewFile(path)); err != nil {
		t.Fatalf("edit of\n%s\nfailed: %v", text, err)
	}
	out, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func add(name string, fields ...config.Field) func(*config.File) error {
	return func(f *config.File) error { return f.AddServer(name, fields) }
}

func update(name string, fields ...config.Field) func(*config.File) error {
	return func(f *config.File) error { return f.UpdateServer(name, fields) }
}

func remove(name string) func(*config.File) error {
	return func(f *config.File) error { return f.RemoveServer(name) }
}

func enable(name string, on bool) func(*config.File) error {
	return func(f *config.File) error { return f.UpdateServer(name, []config.Field{{Key: "enabled", Value: on}}) }
}

func TestFile_Add(t *testing.T) {
	t.Parallel()
	fields := []config.Field{{Key: "command", Value: "x"}, {Key: "args", Value: []string{"-m", "<s>"}}, {Key: "env", Value: map[string]string{"K": "${keyring:k}"}}}
	tests := []struct{ name, in, want string }{
		{"nothing", "", "{\n  \"mcpServers\": [\n    {\n      \"name\": \"new\",\n      \"command\": \"x\",\n      \"args\": [\"-m\", \"<s>\"],\n      \"env\": {\"K\": \"${keyring:k}\"}\n    }\n  ]\n}\n"},
		{"comment only", "// mine\n", "// mine\n{\n  \"mcpServers\": [\n    {\n      \"name\": \"new\",\n      \"command\": \"x\",\n      \"args\": [\"-m\", \"<s>\"],\n      \"env\": {\"K\": \"${keyring:k}\"}\n    }\n  ]\n}\n"},
		{"no key", "{\n\t\"top_k\": 3 // few\n}", "{\n\t\"top_k\": 3, // few\n\t\"mcpServers\": [\n\t\t{\n\t\t\t\"name\": \"new\",\n\t\t\t\"command\": \"x\",\n\t\t\t\"args\": [\"-m\", \"<s>\"],\n\t\t\t\"env\": {\"K\": \"${keyring:k}\"}\n\t\t}\n\t]\n}"},
		{"empty array", "{ \"mcpServers\": [] }\n", "{ \"mcpServers\": [\n  {\n    \"name\": \"new\",\n    \"command\": \"x\",\n    \"args\": [\"-m\", \"<s>\"],\n    \"env\": {\"K\": \"${keyring:k}\"}\n  }\n] }\n"},
		{"one line entries", "{\n  \"mcpServers\": [\n    { \"name\": \"a\", \"command\": \"y\" } // first\n    // more to come\n  ]\n}",
			"{\n  \"mcpServers\": [\n    { \"name\": \"a\", \"command\": \"y\" }, // first\n    { \"name\": \"new\", \"command\": \"x\", \"args\": [\"-m\", \"<s>\"], \"env\": {\"K\": \"${keyring:k}\"} }\n    // more to come\n  ]\n}"},
		{"trailing comma, tight", "{\r\n \"mcpServers\": [\r\n  {\"name\": \"a\", \"command\": \"y\"},\r\n ],\r\n}\r\n",
			"{\r\n \"mcpServers\": [\r\n  {\"name\": \"a\", \"command\": \"y\"},\r\n  {\"name\": \"new\", \"command\": \"x\", \"args\": [\"-m\", \"<s>\"], \"env\": {\"K\": \"${keyring:k}\"}},\r\n ],\r\n}\r\n"},
		{"map", "{\n  \"mcpServers\": {\n    \"a\": {\n      \"command\": \"y\"\n    }\n  }\n}",
			"{\n  \"mcpServers\": {\n    \"a\": {\n      \"command\": \"y\"\n    },\n    \"new\": {\n      \"command\": \"x\",\n      \"args\": [\"-m\", \"<s>\"],\n      \"env\": {\"K\": \"${keyring:k}\"}\n    }\n  }\n}"},
		{"one line file", `{"mcpServers": {"a": {"command": "y"}}}`, `{"mcpServers": {"a": {"command": "y"}, "new": {"command": "x", "args": ["-m", "<s>"], "env": {"K": "${keyring:k}"}}}}`},
		{"cuddled", "{\n  \"mcpServers\": [{\n    \"name\": \"a\",\n    \"command\": \"y\"\n  }, {\n    \"name\": \"b\",\n    \"command\": \"y\"\n  }]\n}",
			"{\n  \"mcpServers\": [{\n    \"name\": \"a\",\n    \"command\": \"y\"\n  }, {\n    \"name\": \"b\",\n    \"command\": \"y\"\n  }, {\n    \"name\": \"new\",\n    \"command\": \"x\",\n    \"args\": [\"-m\", \"<s>\"],\n    \"env\": {\"K\": \"${keyring:k}\"}\n  }]\n}"},
		{"commented examples", "{\n  \"mcpServers\": [\n     // { \"name\": \"example\" },\n  ]\n}\n",
			"{\n  \"mcpServers\": [\n     // { \"name\": \"example\" },\n     {\n       \"name\": \"new\",\n       \"command\": \"x\",\n       \"args\": [\"-m\", \"<s>\"],\n       \"env\": {\"K\": \"${keyring:k}\"}\n     }\n  ]\n}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := edited(t, tt.in, add("new", fields...)); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestFile_Remove(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, server, want string }{
		{"first", "{\"mcpServers\": [\n  {\"name\": \"a\", \"command\": \"x\"}, // A\n  // about b\n  {\"name\": \"b\", \"command\": \"x\"} // B\n]}", "a",
			"{\"mcpServers\": [\n  // about b\n  {\"name\": \"b\", \"command\": \"x\"} // B\n]}"},
		{"last", "{\"mcpServers\": [\n  {\"name\": \"a\", \"command\": \"x\"}, // A\n  {\"name\": \"b\", \"command\": \"x\"} // B\n]}", "b",
			"{\"mcpServers\": [\n  {\"name\": \"a\", \"command\": \"x\"} // A\n]}"},
		{"last with trailing comma", "{\"mcpServers\": [\n  {\"name\": \"a\", \"command\": \"x\"},\n  {\"name\": \"b\", \"command\": \"x\"},\n]}", "b",
			"{\"mcpServers\": [\n  {\"name\": \"a\", \"command\": \"x\"},\n]}"},
		{"middle of a line", `{"mcpServers": {"a": {"command": "x"}, "b": {"command": "x"}, "c": {"command": "x"}}}`, "b",
			`{"mcpServers": {"a": {"command": "x"}, "c": {"command": "x"}}}`},
		{"first of a line", `{"mcpServers": {"a": {"command": "x"}, "b": {"command": "x"}}}`, "a", `{"mcpServers": {"b": {"command": "x"}}}`},
		{"last of a line", `{"mcpServers": {"a": {"command": "x"}, "b": {"command": "x"}}}`, "b", `{"mcpServers": {"a": {"command": "x"}}}`},
		{"only", "{\"mcpServers\": [\n  {\"name\": \"a\", \"command\": \"x\"}\n]}", "a", `{"mcpServers": []}`},
		{"only beside a comment", "{\"mcpServers\": [\n  // keep me\n  {\"name\": \"a\", \"command\": \"x\"},\n]}", "a", "{\"mcpServers\": [\n  // keep me\n]}"},
		{"comment before the bracket", "{\"mcpServers\": [\n  {\"name\": \"a\", \"command\": \"x\"}, // A\n  {\"name\": \"b\", \"command\": \"x\"}]}", "b",
			"{\"mcpServers\": [\n  {\"name\": \"a\", \"command\": \"x\"} // A\n  ]}"},
		{"two on a line", "{\"mcpServers\": [\n  {\"name\": \"a\", \"command\": \"x\"}, {\"name\": \"b\", \"command\": \"x\"},\n  {\"name\": \"c\", \"command\": \"x\"}]}", "a",
			"{\"mcpServers\": [\n  {\"name\": \"b\", \"command\": \"x\"},\n  {\"name\": \"c\", \"command\": \"x\"}]}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := edited(t, tt.in, remove(tt.server)); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestFile_Update(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		edit     func(*config.File) error
		want     string
	}{
		{"enabled is there", `{"mcpServers": [{"name": "a", "enabled": false /* why */, "command": "x"}]}`, enable("a", true),
			`{"mcpServers": [{"name": "a", "enabled": true /* why */, "command": "x"}]}`},
		{"enabled as disabled", `{"mcpServers": {"a": {"command": "x", "disabled": false}}}`, enable("a", false),
			`{"mcpServers": {"a": {"command": "x", "disabled": true}}}`},
		{"enabled as both", `{"mcpServers": {"a": {"command": "x", "disabled": false, "enabled": true}}}`, enable("a", false),
			`{"mcpServers": {"a": {"command": "x", "disabled": true, "enabled": false}}}`},
		{"enabled not there", "{\"mcpServers\": {\n  \"a\": {\n    \"command\": \"x\" // c\n  }}}", enable("a", false),
			"{\"mcpServers\": {\n  \"a\": {\n    \"command\": \"x\", // c\n    \"enabled\": false\n  }}}"},
		{"cwd", `{"mcpServers": {"a": {"cwd": "/a", "command": "x"}}}`, update("a", config.Field{Key: "working_dir", Value: "/b"}),
			`{"mcpServers": {"a": {"cwd": "/b", "command": "x"}}}`},
		{"protocol", `{"mcpServers": {"a": {"protocol": "sse", "url": "http://h/"}}}`, update("a", config.Field{Key: "type", Value: "http"}),
			`{"mcpServers": {"a": {"protocol": "http", "url": "http://h/"}}}`},
		{"equal value keeps its layout", "{\"mcpServers\": {\"a\": {\"args\": [\n\"a\" ,\n // c\n\"b\"], \"command\": \"x\"}}}", update("a", config.Field{Key: "args", Value: []string{"a", "b"}}, config.Field{Key: "command", Value: "y"}),
			"{\"mcpServers\": {\"a\": {\"args\": [\n\"a\" ,\n // c\n\"b\"], \"command\": \"y\"}}}"},
		{"env merges", "{\"mcpServers\": {\"a\": {\"command\": \"x\", \"env\": {\n  \"A\": \"1\", // one\n  \"B\": \"2\", // two\n  \"C\": \"3\" // three\n}}}}",
			update("a", config.Field{Key: "env", Value: map[string]string{"A": "1", "C": "4", "D": "5"}}),
			"{\"mcpServers\": {\"a\": {\"command\": \"x\", \"env\": {\n  \"A\": \"1\", // one\n  \"C\": \"4\", // three\n  \"D\": \"5\"\n}}}}"},
		{"command becomes url", `{"mcpServers": [{"name": "a", "command": "x", "args": ["y"]}]}`, update("a", config.Field{Key: "command"}, config.Field{Key: "args"}, config.Field{Key: "url", Value: "https://h/mcp"}),
			`{"mcpServers": [{"name": "a", "url": "https://h/mcp"}]}`},
		{"second of a list", "{\"mcpServers\": [{\"name\": \"b\", \"command\": \"x\"},\n{\"name\": \"a\", \"command\": \"x\"}]}", update("a", config.Field{Key: "command", Value: "z"}),
			"{\"mcpServers\": [{\"name\": \"b\", \"command\": \"x\"},\n{\"name\": \"a\", \"command\": \"z\"}]}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := edited(t, tt.in, tt.edit); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// layouts are files in which an addition and its removal must leave no trace.
var layouts = []string{
	seed,
	"{\"mcpServers\": []}",
	"\xef\xbb\xbf{\n\t\"mcpServers\" : {}\n}",
	"{\"mcpServers\":[{\"name\":\"a\",\"command\":\"x\"}]}",
	"{\"mcpServers\":[ {\"name\":\"a\",\"command\":\"x\"} , ]}",
	"{\"mcpServers\":[\n{\"name\":\"a\",\"command\":\"x\"}\n,\n{\"name\":\"b\",\"command\":\"x\"}\n]}",
	"{\"mcpServers\":[\n  {\"name\":\"a\",\"command\":\"x\"}, // A\n  {\"name\":\"b\",\"command\":\"x\"}]} // end",
	"{\"mcpServers\":[\n  {\"name\":\"a\",\"command\":\"x\"} /* A */ // AA\n  /* between\n */\n]}\n",
	"{ \"mcpServers\" : { // servers\n  \"a\": { \"command\": \"x\" }, // A\n  // none after\n}, \"top_k\": 1 }",
	"{\r\n  \"mcpServers\": {\r\n    // none yet\r\n  }\r\n}\r\n",
	"{\n  \"mcpServers\": [ /* none */ ]\n}",
	"{\n  \"mcpServers\": [ // none\n  ]\n}",
	"{ \"a\": {\"command\": \"x\"}\n, \"mcpServers\": { \"a\": {\"command\": \"x\"}\n  , \"b\": {\"command\": \"x\"}\n}}",
	string(config.Template()),
}

func TestFile_AddThenRemoveLeavesNoTrace(t *testing.T) {
	t.Parallel()
	for i, text := range layouts {
		with := edited(t, text, add("new", config.Field{Key: "command", Value: "x"}, config.Field{Key: "args", Value: []string{"//", "/*"}}))
		if got := edited(t, with, remove("new")); got != text {
			t.Errorf("layout %d\n%q\nwith it\n%q\nand without\n%q", i, text, with, got)
		}
	}
}

func TestFile_Missing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sub", config.FileName)
	if err := config.NewFile(path).AddServer("a", []config.Field{{Key: "command", Value: "x"}}); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load(path)
	if err != nil || len(c.Servers) != 1 {
		t.Fatalf("Load = %+v, %v, want the one server", c, err)
	}
	text, _ := os.ReadFile(path)
	if !strings.Contains(string(text), "quarantine inspect") {
		t.Errorf("the file was not made from the template:\n%s", text)
	}
	if os.PathSeparator == '/' {
		file, _ := os.Stat(path)
		dir, _ := os.Stat(filepath.Dir(path))
		if file.Mode().Perm() != 0o600 || dir.Mode().Perm() != 0o700 {
			t.Errorf("modes %v and %v, want 0600 and 0700", file.Mode(), dir.Mode())
		}
	}
}

func TestFile_Refuses(t *testing.T) {
	t.Parallel()
	const good = `{"mcpServers": [{"name": "a", "command": "x"}]}`
	var faults config.Faults
	isFaults := func(err error) bool { return errors.As(err, &faults) }
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	tests := []struct {
		name, text string
		edit       func(*config.File) error
		want       func(error) bool
	}{
		{"broken file", `{"mcpServers": [`, add("b", config.Field{Key: "command", Value: "x"}), isFaults},
		{"faulty file", `{"top_k": -1}`, add("b", config.Field{Key: "command", Value: "x"}), isFaults},
		{"known name", good, add("a", config.Field{Key: "command", Value: "x"}), is(config.ErrExists)},
		{"faulty addition", good, add("b", config.Field{Key: "url", Value: "x"}), isFaults},
		{"faulty name", good, add("b:c", config.Field{Key: "command", Value: "x"}), isFaults},
		{"faulty change", good, update("a", config.Field{Key: "url", Value: "http://h/"}), isFaults},
		{"remove unknown", good, remove("b"), is(config.ErrNoServer)},
		{"update unknown", good, update("b", config.Field{Key: "command", Value: "x"}), is(config.ErrNoServer)},
		{"rename", good, update("a", config.Field{Key: "name", Value: "b"}), func(err error) bool { return err != nil }},
		{"not JSON", good, update("a", config.Field{Key: "env", Value: make(chan int)}), func(err error) bool { return err != nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), config.FileName)
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := tt.edit(config.NewFile(path)); !tt.want(err) {
				t.Errorf("edit = %v", err)
			}
			if got, _ := os.ReadFile(path); string(got) != tt.text {
				t.Errorf("the file became\n%s", got)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".mcp_config*")); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

func TestFile_SymlinkAndReadOnly(t *testing.T) {
	t.Parallel()
	if os.PathSeparator != '/' {
		t.Skip("needs symbolic links and permission bits")
	}
	dir := t.TempDir()
	target, link := filepath.Join(dir, "dotfiles", "c.json"), filepath.Join(dir, "link.json")
	if err := os.Symlink(filepath.Join("dotfiles", "c.json"), link); err != nil {
		t.Fatal(err)
	}
	f := config.NewFile(link)
	for _, name := range []string{"a", "b"} { // made, then replaced
		if err := f.AddServer(name, []config.Field{{Key: "command", Value: "x"}}); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	if c, _, err := config.Load(target); err != nil || len(c.Servers) != 2 {
		t.Errorf("target = %+v, %v, want two servers", c, err)
	}
	if err := os.Chmod(target, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := f.RemoveServer("a"); !errors.Is(err, config.ErrReadOnly) {
		t.Errorf("edit of a read-only file = %v, want ErrReadOnly", err)
	}
}

// Whatever the file, an edit either is refused or changes exactly the servers.
func FuzzFile_AddThenRemove(f *testing.F) {
	for _, text := range layouts {
		f.Add(text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		before, _, err := config.Parse([]byte(text))
		if err != nil || strings.Contains(text, `"new"`) {
			return
		}
		path := filepath.Join(dir, config.FileName)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		file := config.NewFile(path)
		if err := file.AddServer("new", []config.Field{{Key: "command", Value: "x"}}); err != nil {
			t.Fatalf("AddServer to %q: %v", text, err)
		}
		with, _, err := config.Load(path)
		if err != nil || len(with.Servers) != len(before.Servers)+1 {
			t.Fatalf("AddServer to %q: %v", text, err)
		}
		if err := file.UpdateServer("new", []config.Field{{Key: "enabled", Value: false}}); err != nil {
			t.Fatalf("UpdateServer in %q: %v", text, err)
		}
		if err := file.RemoveServer("new"); err != nil {
			t.Fatalf("RemoveServer from %q: %v", text, err)
		}
		after, _, err := config.Load(path)
		if err != nil || len(after.Servers) != len(before.Servers) {
			t.Fatalf("RemoveServer from %q: %v", text, err)
		}
		got, _ := os.ReadFile(path)
		if len(before.Servers) > 0 && string(got) != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestFile_SetTop(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		value    any
		want     string
	}{
		{"new", "{\n  \"top_k\": 3 // few\n}\n", "mini", "{\n  \"top_k\": 3, // few\n  \"model\": \"mini\"\n}\n"},
		{"changed", "{\n  \"model\": \"old\", // mine\n  \"top_k\": 3\n}\n", "mini", "{\n  \"model\": \"mini\", // mine\n  \"top_k\": 3\n}\n"},
		{"same", "{ \"model\" : \"mini\" }", "mini", "{ \"model\" : \"mini\" }"},
		{"removed", "{\n  \"model\": \"old\",\n  \"top_k\": 3\n}\n", nil, "{\n  \"top_k\": 3\n}\n"},
		{"not there", "{\n  \"top_k\": 3\n}\n", nil, "{\n  \"top_k\": 3\n}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := edited(t, tt.in, func(f *config.File) error { return f.SetTop("model", tt.value) }); got != tt.want {
				t.Errorf("SetTop made\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
	path := filepath.Join(t.TempDir(), config.FileName)
	if err := config.NewFile(path).SetTop("model", "../x"); err == nil {
		t.Error("a path was accepted as a model's name")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a refused edit wrote the file")
	}
}
