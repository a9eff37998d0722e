package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcpproxy/internal/client"
)

// healthy is an installation in which everything is as it should be.
func healthy(t *testing.T) Options {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "mcp_config.json")
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Version: "1", DataDir: dir, ConfigPath: file, Loopback: true,
		Servers: []Server{{Name: "a", Command: self, WorkingDir: dir, Texts: []string{"plain"}}},
		Instance: running(client.Status{Version: "1", Running: true, Servers: []client.Server{{Name: "a", State: "ready", Enabled: true, Tools: 2}},
			Index: client.Index{Tools: 2, Vectors: 2, Model: "m"}}),
		Expand:  func(text string) (string, error) { return text, nil },
		Secrets: func() ([]string, error) { return []string{"k"}, nil },
		Model:   func() error { return nil },
		Strays:  func() ([]string, error) { return nil, nil },
		Docker:  func(context.Context) (string, error) { return "28", nil },
	}
}

func running(st client.Status) func() (*client.Client, error) {
	return func() (*client.Client, error) {
		return client.InProcess(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(st) })), nil
	}
}

func notRunning() (*client.Client, error) { return nil, client.ErrNotRunning }

func TestExamine_HealthyHasNothingToSay(t *testing.T) {
	t.Parallel()
	for _, f := range Examine(t.Context(), healthy(t)) {
		if f.Level != OK {
			t.Errorf("%+v", f)
		}
	}
}

// Each fault alone is found under its code, with a cause and, where there is
// one, a fix.
func TestExamine_FindsEachFault(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code   string
		level  Level
		cause  string
		breaks func(t *testing.T, o *Options)
	}{
		{"config.missing", Attention, "no configuration", func(_ *testing.T, o *Options) { o.ConfigError = os.ErrNotExist }},
		{"config.faulty", Error, "line 3", func(_ *testing.T, o *Options) { o.ConfigError = errors.New("line 3: wrong") }},
		{"config.warning", Attention, "unknown key", func(_ *testing.T, o *Options) { o.ConfigWarnings = []string{"unknown key"} }},
		{"config.not_in_force", Error, "refused", func(_ *testing.T, o *Options) {
			o.Instance = running(client.Status{Version: "1", ConfigError: "broken"})
		}},
		{"approvals.lost", Error, "damaged", func(_ *testing.T, o *Options) {
			o.Instance = running(client.Status{Version: "1", Loss: &client.Loss{Reason: "database is damaged", Backup: &client.Backup{}}})
		}},
		{"files.mode", Attention, "others", func(t *testing.T, o *Options) { must(t, os.Chmod(o.ConfigPath, 0o644)) }},
		{"files.no_directory", Error, "not a directory", func(_ *testing.T, o *Options) { o.DataDir = o.ConfigPath }},
		{"instance.none", Attention, "no mcpproxy is running", func(_ *testing.T, o *Options) { o.Instance = notRunning }},
		{"instance.version", Attention, "version 0", func(_ *testing.T, o *Options) { o.Instance = running(client.Status{Version: "0"}) }},
		{"instance.unreachable", Error, "denied", func(_ *testing.T, o *Options) {
			o.Instance = func() (*client.Client, error) { return nil, os.ErrPermission }
		}},
		{"port.taken", Error, "could not listen", func(t *testing.T, o *Options) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			t.Cleanup(func() { _ = l.Close() })
			o.Instance, o.Addrs = notRunning, []string{l.Addr().String()}
		}},
		{"port.beyond_loopback", Attention, "other machines", func(_ *testing.T, o *Options) { o.Loopback = false }},
		{"server.failed", Error, "no such", func(_ *testing.T, o *Options) {
			o.Instance = running(client.Status{Version: "1", Servers: []client.Server{{Name: "a", State: "failed", Error: "no such", Hint: "do it", Enabled: true}}})
		}},
		{"server.needs_login", Error, "needs-login", func(_ *testing.T, o *Options) {
			o.Instance = running(client.Status{Version: "1", Servers: []client.Server{{Name: "a", State: "needs-login", Hint: "log in", Enabled: true}}})
		}},
		{"server.held_tools", Attention, "3 of the items that it lists", func(_ *testing.T, o *Options) {
			o.Instance = running(client.Status{Version: "1", Servers: []client.Server{{Name: "a", State: "ready", HeldTools: 3, Enabled: true}}})
		}},
		{"server.auto_approve", Attention, "without your approval", func(_ *testing.T, o *Options) {
			o.Instance = running(client.Status{Version: "1", Servers: []client.Server{{Name: "a", State: "ready", AutoApprove: "all", Enabled: true}}})
		}},
		{"index.model", Error, "bad digest", func(_ *testing.T, o *Options) {
			o.Instance = running(client.Status{Version: "1", Index: client.Index{ModelError: "bad digest"}})
		}},
		{"index.vectors", Attention, "1 of 9", func(_ *testing.T, o *Options) {
			o.Instance = running(client.Status{Version: "1", Index: client.Index{Model: "m", Tools: 9, Vectors: 1}})
		}},
		{"keyring.unavailable", Attention, "locked", func(_ *testing.T, o *Options) {
			o.Secrets = func() ([]string, error) { return nil, errors.New("locked\nhint: unlock it") }
		}},
		{"keyring.unavailable", Error, "locked", func(_ *testing.T, o *Options) {
			o.Secrets = func() ([]string, error) { return nil, errors.New("locked\nhint: unlock it") }
			o.Servers[0].Texts = []string{"${keyring:k}"}
		}},
		{"secret.unresolved", Error, "NOPE", func(_ *testing.T, o *Options) {
			o.Expand = func(string) (string, error) { return "", errors.New("set NOPE") }
		}},
		{"runtime.missing", Error, "not on PATH", func(_ *testing.T, o *Options) { o.Servers[0].Command = "no-such-program" }},
		{"working_dir.missing", Error, "not a directory", func(_ *testing.T, o *Options) { o.Servers[0].WorkingDir = "/no/such/place" }},
		{"docker.unavailable", Error, "these servers need it: a", func(_ *testing.T, o *Options) {
			o.Servers[0].Isolated = true
			o.Docker = func(context.Context) (string, error) { return "", errors.New("no daemon") }
		}},
		{"model.digest", Error, "differs", func(_ *testing.T, o *Options) { o.Model = func() error { return errors.New("digest differs") } }},
		{"children.strays", Attention, "a (pid 7)", func(_ *testing.T, o *Options) {
			o.Strays = func() ([]string, error) { return []string{"a (pid 7)"}, nil }
		}},
	}
	for _, tt := range tests {
		t.Run(tt.code+" "+string(tt.level), func(t *testing.T) {
			t.Parallel()
			o := healthy(t)
			tt.breaks(t, &o)
			list := Examine(t.Context(), o)
			i := slices.IndexFunc(list, func(f Finding) bool { return f.Code == tt.code })
			if i < 0 {
				t.Fatalf("not found in %+v", list)
			}
			f := list[i]
			if f.Level != tt.level || !strings.Contains(f.Cause, tt.cause) || f.Fix == "" && f.Level == Error || strings.Contains(f.Cause+f.Fix, "hint:") {
				t.Errorf("%+v, want %s about %q with a fix", f, tt.level, tt.cause)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOutside(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for dir, want := range map[string]bool{
		filepath.Join(home, ".mcpproxy"): false, home: false, home + "-2": true, filepath.Dir(home): true, filepath.Join(home, "..", "other"): true,
	} {
		if got := outside(home, dir); got != want {
			t.Errorf("outside(%q) = %v, want %v", dir, got, want)
		}
	}
}
