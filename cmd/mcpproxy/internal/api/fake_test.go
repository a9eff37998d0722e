package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"mcpproxy/internal/client"
)

// fake is a Service that answers from its fields.
type fake struct {
	err     error // of every method, if set
	waiting []string
	tools   []client.Tool
	frames  []string // traced by listings
	steps   int      // of a rebuild
	result  json.RawMessage
	held    func(ctx context.Context) // called by CallTool

	change   client.ServerChange
	approved string
	removed  string // model
	stopped  bool
}

func (f *fake) Status(context.Context) (client.Status, error) {
	return client.Status{Version: "test", Running: true}, f.err
}

func (f *fake) Ready() (bool, []string) { return len(f.waiting) == 0, f.waiting }

func (f *fake) ListServers(context.Context) ([]client.Server, error) {
	return []client.Server{{Name: "a/b"}}, f.err
}

func (f *fake) Server(_ context.Context, name string) (client.Server, error) {
	return client.Server{Name: name}, f.err
}

func (f *fake) FollowLogs(ctx context.Context, name string, lines int, each func(string) error) error {
	for i := range lines {
		if err := each(fmt.Sprint(name, " ", i)); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

func (f *fake) Catalog(_ context.Context, q client.ToolFilter) (client.ToolPage, error) {
	return client.ToolPage{Total: q.Limit, Offset: q.Offset, Tools: []client.ToolRow{{ID: q.Server + ":" + q.Text, Access: q.Access}}}, f.err
}

func (f *fake) Tool(_ context.Context, id string) (client.Tool, error) {
	return client.Tool{ID: id}, f.err
}

func (f *fake) Page(_ context.Context, server string) (client.Waiting, error) {
	return client.Waiting{Server: server}, f.err
}

func (f *fake) AddServer(_ context.Context, add client.ServerChange) (client.Server, error) {
	f.change = add
	return client.Server{Name: deref(add.Name)}, f.err
}

func (f *fake) UpdateServer(_ context.Context, name string, change client.ServerChange) (client.Server, error) {
	f.change = change
	return client.Server{Name: name}, f.err
}

func (f *fake) Audit(_ context.Context, q client.AuditFilter) ([]client.AuditEntry, error) {
	return []client.AuditEntry{{Seq: q.After + 1, Server: q.Server}}, f.err
}

func (f *fake) Logins(context.Context) ([]client.Login, error) {
	return []client.Login{{Server: "a/b"}}, f.err
}

func (f *fake) LogIn(_ context.Context, server string, quiet bool, prompt func(client.LoginPrompt)) (client.Login, error) {
	if f.err == nil {
		prompt(client.LoginPrompt{URL: "https://as.example/authorize", Opened: !quiet})
	}
	return client.Login{Server: server}, f.err
}

func (f *fake) LogOut(_ context.Context, server string) (client.Login, error) {
	return client.Login{Server: server, State: "none"}, f.err
}

func (f *fake) Secrets(context.Context) (client.Secrets, error) {
	return client.Secrets{Backend: "keyring", Secrets: []client.Secret{{Name: "k"}}}, f.err
}

func (f *fake) SetSecret(_ context.Context, name, value string) (client.SecretChange, error) {
	f.removed = name + "=" + value
	return client.SecretChange{Name: name, Restarted: []string{"a"}}, f.err
}

func (f *fake) DeleteSecret(_ context.Context, name string) (client.SecretChange, error) {
	f.removed = name
	return client.SecretChange{Name: name}, f.err
}

func (f *fake) SecretChanged(_ context.Context, name string) (client.SecretChange, error) {
	return client.SecretChange{Name: name, Restarted: []string{"b"}}, f.err
}

func (f *fake) RemoveServer(context.Context, string) error  { return f.err }
func (f *fake) RestartServer(context.Context, string) error { return f.err }

func (f *fake) Logs(_ context.Context, name string, lines int) ([]string, error) {
	return []string{name, http.StatusText(lines)}, f.err
}

func (f *fake) ListTools(_ context.Context, _ string, opt ListOptions) ([]client.Tool, error) {
	for _, frame := range f.frames {
		if opt.Trace != nil {
			opt.Trace("->", []byte(frame))
		}
	}
	return f.tools, f.err
}

func (f *fake) Search(_ context.Context, query string, limit int, server string) ([]client.Hit, error) {
	return []client.Hit{{Tool: client.Tool{ID: server + ":" + query}, Score: float64(limit)}}, f.err
}

func (f *fake) Expect(_ context.Context, query, server, id string) (client.Expectation, error) {
	return client.Expectation{ID: id, Reason: server + ":" + query}, f.err
}

func (f *fake) CallTool(ctx context.Context, _ string, args json.RawMessage) (json.RawMessage, error) {
	if f.held != nil {
		f.held(ctx)
	}
	if f.result == nil {
		f.result = args
	}
	return f.result, f.err
}

func (f *fake) Waiting(context.Context) ([]client.Waiting, error) { return nil, f.err }

func (f *fake) Inspect(ctx context.Context, server string, opt ListOptions) (client.Waiting, error) {
	tools, err := f.ListTools(ctx, server, opt)
	return client.Waiting{Server: server, Tools: tools, Hash: "h"}, err
}

func (f *fake) ApproveItem(_ context.Context, server string, what client.ApproveRequest) error {
	f.approved = server + ":" + what.Kind + "/" + what.Tool + " " + what.Hash
	return f.err
}

func (f *fake) Block(_ context.Context, server string, what client.BlockRequest) error {
	f.approved = fmt.Sprint("block ", server, ":", what.Tool, " ", what.Blocked)
	return f.err
}

func (f *fake) History(_ context.Context, server string, limit int) ([]client.ReviewEvent, error) {
	return []client.ReviewEvent{{What: "approved", Server: server, Tool: strconv.Itoa(limit)}}, f.err
}

func (f *fake) Approve(_ context.Context, server, hash string) (client.Waiting, error) {
	f.approved = server + " " + hash
	return client.Waiting{Server: server, Hash: hash}, f.err
}

func (f *fake) Scanned(_ context.Context, server string) ([]client.Scanned, error) {
	return []client.Scanned{{ID: server + ":x", Report: json.RawMessage(`{"verdict":"pass"}`)}}, f.err
}

func (f *fake) Stats(context.Context) (client.Stats, error) { return client.Stats{Tools: 7}, f.err }

func (f *fake) Config(context.Context) (client.Config, error) {
	return client.Config{Path: "p", Hash: "h"}, f.err
}

func (f *fake) CheckConfig(_ context.Context, text string) (client.ConfigCheck, error) {
	return client.ConfigCheck{OK: text == "{}"}, f.err
}

func (f *fake) WriteConfig(_ context.Context, text, hash string) (client.Config, error) {
	return client.Config{Text: text, Hash: hash}, f.err
}

func (f *fake) PatchConfig(_ context.Context, p client.ConfigPatch) (client.Config, error) {
	return client.Config{Text: string(p.Set["top_k"])}, f.err
}

func (f *fake) Models(context.Context) ([]client.Model, error) {
	return []client.Model{{Name: "bundled", Bundled: true}}, f.err
}

func (f *fake) UseModel(_ context.Context, name string) (client.Model, error) {
	return client.Model{Name: name, Chosen: true}, f.err
}

func (f *fake) RemoveModel(_ context.Context, name string) error {
	f.removed = name
	return f.err
}

func (f *fake) Index(context.Context) (client.Index, error) { return client.Index{Tools: 7}, f.err }

func (f *fake) Rebuild(_ context.Context, progress func(done, total int)) (client.Index, error) {
	for i := range f.steps {
		progress(i+1, f.steps)
	}
	return client.Index{Tools: f.steps}, f.err
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

const testKey = "0123456789abcdef0123456789abcdef"

var errSecret = errors.New("disk at /home/ada is full")

// echoMCP is the endpoint behind the guard.
var echoMCP = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"endpoint":"` + r.URL.Path + `"}`))
})

func (f *fake) ExamineIsolation(_ context.Context, server string) (client.IsolationReport, error) {
	return client.IsolationReport{Server: server, OK: true}, f.err
}

func (f *fake) Shutdown(context.Context) error { f.stopped = true; return f.err }
