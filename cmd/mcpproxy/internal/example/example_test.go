package example_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcpproxy/cmd/mcpproxy/internal/example"
)

// session speaks JSON-RPC with one example server through pipes.
type session struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
	id  int
}

func start(t *testing.T, name string, args ...string) *session {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- example.Run(context.Background(), name, args, inR, outW)
		_ = outW.Close()
	}()
	t.Cleanup(func() { // the end of its input must end it
		_ = inW.Close()
		go func() { _, _ = io.Copy(io.Discard, outR) }()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run(%s) = %v, want nil after its input ended", name, err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("Run(%s) did not return after its input ended", name)
		}
	})
	s := &session{t: t, in: inW, out: bufio.NewReader(outR)}
	s.request("initialize", `{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}`)
	s.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return s
}

func (s *session) send(line string) {
	s.t.Helper()
	if _, err := io.WriteString(s.in, line+"\n"); err != nil {
		s.t.Fatal(err)
	}
}

// request returns the result object of one request.
func (s *session) request(method, params string) json.RawMessage {
	s.t.Helper()
	s.id++
	id, _ := json.Marshal(s.id)
	s.send(`{"jsonrpc":"2.0","id":` + string(id) + `,"method":"` + method + `","params":` + params + `}`)
	for {
		line, err := s.out.ReadBytes('\n')
		if err != nil {
			s.t.Fatal(err)
		}
		var message struct {
			ID     json.RawMessage
			Result json.RawMessage
			Error  json.RawMessage
		}
		if err := json.Unmarshal(line, &message); err != nil {
			s.t.Fatalf("not a message: %q", line)
		}
		if string(message.ID) != string(id) {
			continue
		}
		if message.Error != nil {
			s.t.Fatalf("%s %s: error %s", method, params, message.Error)
		}
		return message.Result
	}
}

// call returns the tool's text and whether it is an error.
func (s *session) call(tool, args string) (string, bool) {
	s.t.Helper()
	var result struct {
		Content           []struct{ Text string }
		StructuredContent json.RawMessage
		IsError           bool
	}
	if err := json.Unmarshal(s.request("tools/call", `{"name":"`+tool+`","arguments":`+args+`}`), &result); err != nil || len(result.Content) != 1 {
		s.t.Fatalf("%s: %v, %+v", tool, err, result)
	}
	if result.IsError {
		return result.Content[0].Text + string(result.StructuredContent), true
	}
	if result.StructuredContent == nil {
		s.t.Errorf("%s has no structured content", tool)
	}
	return result.Content[0].Text, false
}

type callTest struct{ name, tool, args, want string }

func (s *session) check(tests []callTest, wantError bool) {
	s.t.Helper()
	for _, tt := range tests {
		if got, isError := s.call(tt.tool, tt.args); isError != wantError || !strings.Contains(got, tt.want) {
			s.t.Errorf("%s: %s(%s) = %s, error %v, want %q", tt.name, tt.tool, tt.args, got, isError, tt.want)
		}
	}
}

func TestRun_ListsHonestTools(t *testing.T) {
	for _, name := range example.Names() {
		var list struct {
			Tools []struct {
				Name, Description string
				InputSchema       struct {
					Type                 string
					AdditionalProperties any
					Properties           map[string]struct{ Description string }
				}
				Annotations map[string]any
			}
		}
		var args []string
		if name == "files" {
			args = []string{t.TempDir()}
		}
		if err := json.Unmarshal(start(t, name, args...).request("tools/list", "{}"), &list); err != nil {
			t.Fatal(err)
		}
		if len(list.Tools) < 5 || len(list.Tools) > 7 {
			t.Errorf("%s has %d tools", name, len(list.Tools))
		}
		for _, tool := range list.Tools {
			writes := strings.HasPrefix(tool.Name, "add_note") || strings.HasPrefix(tool.Name, "update_") || strings.HasPrefix(tool.Name, "delete_")
			destroys := writes && tool.Name != "add_note"
			if len(tool.Description) < 20 || tool.InputSchema.Type != "object" || tool.InputSchema.AdditionalProperties != false ||
				tool.Annotations["readOnlyHint"] != !writes || tool.Annotations["destructiveHint"] != destroys ||
				tool.Annotations["openWorldHint"] != false || tool.Annotations["title"] == "" {
				t.Errorf("%s: %+v", name, tool)
			}
			for key, p := range tool.InputSchema.Properties {
				if p.Description == "" {
					t.Errorf("%s: %s.%s has no description", name, tool.Name, key)
				}
			}
		}
	}
}

func TestRun_Unknown(t *testing.T) {
	if err := example.Run(context.Background(), "weather", nil, strings.NewReader(""), io.Discard); !errors.Is(err, example.ErrUnknown) {
		t.Errorf("Run = %v, want ErrUnknown", err)
	}
	if err := example.Run(context.Background(), "time", []string{"x"}, strings.NewReader(""), io.Discard); err == nil {
		t.Error("Run took an argument that the server does not have")
	}
	if err := example.Run(context.Background(), "files", []string{filepath.Join(t.TempDir(), "none")}, strings.NewReader(""), io.Discard); err == nil {
		t.Error("Run took a folder that is not there")
	}
}

func TestRun_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	in, w := io.Pipe()
	defer func() { _ = w.Close() }()
	done := make(chan error, 1)
	go func() { done <- example.Run(ctx, "units", nil, in, io.Discard) }()
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("Run goes on")
	}
}

func TestTime(t *testing.T) {
	s := start(t, "time")
	s.check([]callTest{
		{"now", "current_time", `{"zone":"Asia/Tokyo"}`, `"utc_offset":"+09:00"`},
		{"default", "current_time", `{}`, `"zone":"UTC"`},
		{"convert", "convert_time", `{"time":"2026-01-15 15:00","from_zone":"Europe/Berlin","to_zone":"Asia/Tokyo"}`, `2026-01-15T23:00:00+09:00`},
		{"summer time", "convert_time", `{"time":"2026-07-15T12:00:00Z","to_zone":"America/New_York"}`, `2026-07-15T08:00:00-04:00`},
		{"days", "days_between", `{"from":"2026-02-27","to":"2026-03-02"}`, `{"days":3,"weeks":"0 weeks and 3 days","working_days":1,"calendar":"0 years, 0 months and 3 days"}`},
		{"days back", "days_between", `{"from":"2026-03-02","to":"2025-03-02"}`, `"days":-365`},
		{"months", "days_between", `{"from":"2024-01-15","to":"2026-03-20"}`, `2 years, 2 months and 5 days`},
		{"long way", "days_between", `{"from":"0001-01-01","to":"9999-12-31"}`, `"days":3652058`},
		{"parse", "parse_date", `{"text":"29 March 2026"}`, `{"time":"2026-03-29T00:00:00Z","zone":"UTC","utc_offset":"+00:00","weekday":"Sunday","iso_week":"2026-W13","day_of_year":88,"unix":1774742400}`},
		{"parse unix", "parse_date", `{"text":"1774742400"}`, `2026-03-29T00:00:00Z`},
		{"format", "format_date", `{"date":"2026-03-29","format":"long"}`, `Sunday, March 29, 2026`},
		{"strftime", "format_date", `{"date":"2026-03-29 14:05","format":"%d.%m.%y %H:%M 100%%"}`, `29.03.26 14:05 100%`},
		{"add", "add_duration", `{"date":"2026-01-31","months":1,"days":-1,"duration":"90m"}`, `2026-03-02T01:30:00Z`},
	}, false)
	s.check([]callTest{
		{"zone", "current_time", `{"zone":"Mars/Olympus"}`, `"invalid_argument"`},
		{"traversal", "current_time", `{"zone":"../../etc/passwd"}`, `unknown time zone`},
		{"date", "parse_date", `{"text":"someday"}`, `cannot read`},
		{"pattern", "format_date", `{"date":"now","format":"%Q"}`, `unknown pattern %Q`},
		{"duration", "add_duration", `{"date":"now","duration":"a while"}`, `as a duration`},
		{"type", "add_duration", `{"date":"now","days":"three"}`, ``},
		{"extra", "current_time", `{"place":"Berlin"}`, ``},
		{"missing", "parse_date", `{}`, ``},
	}, true)
}

func TestNotes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.json")
	t.Setenv("NOTES_FILE", path)
	s := start(t, "notes")
	s.check([]callTest{
		{"empty", "list_notes", `{}`, `{"notes":[],"total":0}`},
		{"add", "add_note", `{"title":"Shopping","text":"milk and bread","tags":["Home","home "]}`, `"id":1`},
		{"add another", "add_note", `{"title":"Release","text":"tag and publish"}`, `"tags":[]`},
		{"newest first", "list_notes", `{"limit":1}`, `{"notes":[{"id":2,`},
		{"by tag", "list_notes", `{"tag":"HOME"}`, `"total":1`},
		{"search", "search_notes", `{"query":"BREAD milk"}`, `"id":1`},
		{"search misses", "search_notes", `{"query":"bread beer"}`, `"total":0`},
		{"change", "update_note", `{"id":1,"text":"only milk"}`, `"title":"Shopping","text":"only milk","tags":["home"]`},
		{"read", "get_note", `{"id":1}`, `only milk`},
		{"delete", "delete_note", `{"id":2}`, `{"deleted":2,"title":"Release"}`},
	}, false)
	s.check([]callTest{
		{"gone", "get_note", `{"id":2}`, `"not_found"`},
		{"unknown", "delete_note", `{"id":99}`, `no note 99`},
		{"unknown", "update_note", `{"id":99}`, `no note 99`},
		{"blank", "search_notes", `{"query":" "}`, `no word`},
		{"no title", "add_note", `{"text":"x"}`, ``},
	}, true)
	start(t, "notes").check([]callTest{
		{"kept in the file", "list_notes", `{}`, `"total":1`},
		{"numbers go on", "add_note", `{"title":"Third"}`, `"id":2`},
	}, false)
	if info, err := os.Stat(path); err != nil || os.PathSeparator == '/' && info.Mode().Perm() != 0o600 {
		t.Errorf("file %v, %v, want mode 0600", info, err)
	}
}

func TestFiles(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "shown")
	for name, text := range map[string]string{
		"shown/readme.md": "# Title\nA needle in the hay\nend", "shown/sub/code.go": "package sub // NEEDLE\n",
		"shown/.git/needle": "needle", "shown/binary": "needle\x00", "secret.txt": "needle CANARY",
	} {
		path := filepath.Join(base, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if os.PathSeparator == '/' {
		for link, to := range map[string]string{"out": "../secret.txt", "updir": "..", "abs": filepath.Join(base, "secret.txt")} {
			if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := start(t, "files", dir)
	s.check([]callTest{
		{"list", "list_directory", `{}`, `"path":"readme.md","kind":"file","size":31`},
		{"list below", "list_directory", `{"path":"sub/"}`, `"path":"sub/code.go"`},
		{"read", "read_file", `{"path":"./sub/../readme.md"}`, `"text":"# Title\nA needle in the hay\nend","first_line":1,"lines":3,"more":false`},
		{"read lines", "read_file", `{"path":"readme.md","first_line":2,"lines":1}`, `"text":"A needle in the hay\n","first_line":2,"lines":1,"more":true`},
		{"read beyond", "read_file", `{"path":"readme.md","first_line":9}`, `"text":"","first_line":9,"lines":0,"more":false`},
		{"search", "search_text", `{"query":"needle"}`, `{"hits":[{"path":"readme.md","line":2,"text":"A needle in the hay"},{"path":"sub/code.go","line":1,"text":"package sub // NEEDLE"}],"truncated":false}`},
		{"search by name", "search_text", `{"query":"needle","pattern":"*.go"}`, `{"hits":[{"path":"sub/code.go"`},
		{"find", "find_files", `{"pattern":"*.md"}`, `{"entries":[{"path":"readme.md"`},
		{"info", "file_info", `{"path":"sub"}`, `"kind":"directory"`},
	}, false)
	s.check([]callTest{
		{"up", "read_file", `{"path":"../secret.txt"}`, `"refused"`},
		{"up within", "read_file", `{"path":"sub/../../secret.txt"}`, `outside of the folder`},
		{"absolute", "read_file", `{"path":"` + filepath.ToSlash(filepath.Join(base, "secret.txt")) + `"}`, `outside of the folder`},
		{"up listed", "list_directory", `{"path":".."}`, `..`},
		{"up searched", "search_text", `{"query":"needle","path":"../"}`, `..`},
		{"missing", "read_file", `{"path":"none"}`, `"not_found"`},
		{"folder", "read_file", `{"path":"sub"}`, `not a regular file`},
		{"binary", "read_file", `{"path":"binary"}`, `not a text file`},
		{"pattern", "find_files", `{"pattern":"["}`, `has no ]`},
	}, true)
	if os.PathSeparator == '/' {
		s.check([]callTest{
			{"link out", "read_file", `{"path":"out"}`, `outside of the folder`},
			{"absolute link", "read_file", `{"path":"abs"}`, `outside of the folder`},
			{"through a link", "read_file", `{"path":"updir/secret.txt"}`, `outside of the folder`},
			{"list a link", "list_directory", `{"path":"updir"}`, `outside of the folder`},
		}, true)
	}
	for _, call := range []string{"search_text", "list_directory"} {
		if got, _ := s.call(call, map[string]string{"search_text": `{"query":"canary"}`, "list_directory": `{"path":"updir"}`}[call]); strings.Contains(got, "secret.txt") || strings.Contains(got, "CANARY") {
			t.Errorf("%s leads out: %s", call, got)
		}
	}
}

func TestUnits(t *testing.T) {
	s := start(t, "units")
	s.check([]callTest{
		{"miles", "convert_units", `{"value":26.2,"from":"miles","to":"km"}`, `{"value":42.1648128,"unit":"km","text":"26.2 mi = 42.1648128 km"}`},
		{"fahrenheit", "convert_units", `{"value":212,"from":"F","to":"celsius"}`, `"value":100,`},
		{"absolute zero", "convert_units", `{"value":0,"from":"K","to":"°C"}`, `"value":-273.15`},
		{"data", "convert_units", `{"value":1,"from":"GiB","to":"MB"}`, `"value":1073.741824`},
		{"bits are not bytes", "convert_units", `{"value":8,"from":"Mb","to":"MB"}`, `"value":1,`},
		{"pounds", "convert_units", `{"value":1,"from":"lbs","to":"kilograms"}`, `"value":0.45359237`},
		{"speed", "convert_units", `{"value":100,"from":"km/h","to":"mph"}`, `"value":62.137119`},
		{"kinds", "list_units", `{"kind":"temperature"}`, `{"temperature":[{"symbol":"K"`},
		{"describe", "describe_unit", `{"unit":"acre"}`, `"in_base_unit":"4046.8564224 m2"`},
		{"compare", "compare_quantities", `{"first_value":1,"first_unit":"mi","second_value":1500,"second_unit":"m"}`, `{"factor":1.072896,"larger":"first"}`},
		{"compare equal", "compare_quantities", `{"first_value":0,"first_unit":"C","second_value":32,"second_unit":"F"}`, `"larger":"equal"`},
		{"percent", "percentage_of", `{"percent":19,"value":250}`, `{"added":297.5,"result":47.5,"taken_off":202.5}`},
		{"change", "percentage_change", `{"old":80,"new":100}`, `{"difference":20,"percent":25}`},
		{"change of a debt", "percentage_change", `{"old":-80,"new":-100}`, `"percent":-25`},
	}, false)
	s.check([]callTest{
		{"unknown", "convert_units", `{"value":1,"from":"parsec","to":"km"}`, `"not_found"`},
		{"kinds differ", "convert_units", `{"value":1,"from":"kg","to":"km"}`, `cannot be compared`},
		{"too large", "convert_units", `{"value":1e308,"from":"TiB","to":"bit"}`, `too large`},
		{"from nothing", "percentage_change", `{"old":0,"new":1}`, `old is 0`},
		{"unknown kind", "list_units", `{"kind":"currency"}`, ``},
		{"type", "convert_units", `{"value":"1","from":"kg","to":"g"}`, ``},
	}, true)
}
