package upstream

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// masker masks one word; a Reader is read whole, which is enough for tests.
type masker string

func (m masker) Text(s string) string {
	return strings.ReplaceAll(s, string(m), "***")
}

func (m masker) Reader(src io.Reader) io.Reader {
	text, err := io.ReadAll(src)
	if err != nil {
		text = append(text, err.Error()...)
	}
	return strings.NewReader(m.Text(string(text)))
}

func TestDialStdio_WarnsOfSecretsInArgs(t *testing.T) {
	t.Setenv("UPSTREAM_TEST_TOKEN", "tok")
	dir := t.TempDir()
	t.Setenv("UPSTREAM_TEST_DIR", dir)
	for name, tt := range map[string]struct {
		args []string
		want int
	}{
		"keyring":            {[]string{"--token", "${keyring:k}", "${keyring:l}"}, 1},
		"within":             {[]string{"--header=Bearer ${keyring:k}"}, 1},
		"variable":           {[]string{"${env:UPSTREAM_TEST_TOKEN}"}, 1},
		"home":               {[]string{"${env:HOME}/notes"}, 0},
		"variable of a path": {[]string{"${env:UPSTREAM_TEST_DIR}"}, 0},
		"none":               {[]string{"--token", "${TOKEN}", "$HOME"}, 0},
	} {
		core, logs := observer.New(zap.WarnLevel)
		env := DialEnv{Log: zap.New(core), Expand: func(string) (string, error) { return "CANARY", nil }}
		s := childSpec("exit3")
		s.Env["TOKEN"], s.Args = "${keyring:k}", append(s.Args, tt.args...) // in env it is no cause to warn
		c, err := dialStdio(t.Context(), s, env)
		if err == nil {
			_ = c.Close()
		}
		said := logs.FilterMessageSnippet("args hold a secret").All()
		if len(said) != tt.want {
			t.Errorf("%s: %d warnings, want %d", name, len(said), tt.want)
		}
		for _, entry := range said {
			if fields := entry.ContextMap(); fields["server"] != s.Name || len(fields) != 1 {
				t.Errorf("%s: fields %v, want the server's name alone", name, fields)
			}
		}
	}
}

func TestDialStdio_WorkingDirPlaceholders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	expand := func(s string) (string, error) { return strings.ReplaceAll(s, "${env:BASE}", dir), nil }
	for text, want := range map[string]string{
		"${env:BASE}":      "",
		"${env:BASE}/gone": `working_dir "` + filepath.Join(dir, "gone") + `" does not exist: create it or correct the path`,
	} {
		s := childSpec("echo")
		s.WorkingDir = text
		c, err := dialStdio(t.Context(), s, DialEnv{Expand: expand})
		if err == nil {
			_ = c.Close()
		}
		if want == "" && err != nil || want != "" && (!errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	s := childSpec("echo")
	s.WorkingDir = "${env:BASE}"
	_, err := dialStdio(t.Context(), s, DialEnv{Expand: func(string) (string, error) { return "", errors.New("${env:BASE} is not set") }})
	if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "${env:BASE} is not set") {
		t.Errorf("unresolved: %v, want ErrConfig and its name", err)
	}
}

func TestExpand_NotNowIsTriedAgain(t *testing.T) {
	t.Parallel()
	locked := errors.Join(errors.New("the keyring is locked"), ErrNotNow)
	for name, s := range map[string]Spec{
		"args":        {Args: []string{"x"}},
		"env":         {Env: map[string]string{"A": "x"}},
		"working_dir": {WorkingDir: "x"},
	} {
		_, err := expandSpec(s, func(text string) (string, error) {
			if text == "" {
				return "", nil
			}
			return "", locked
		})
		if errors.Is(err, ErrConfig) || after(err) != BackingOff || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v leads to %s, want %s with the place named", name, err, after(err), BackingOff)
		}
	}
}

func TestPool_MasksErrorsStatesAndTraces(t *testing.T) {
	t.Parallel()
	env := DialEnv{Redact: masker("CANARY")}
	if got := env.clean(errors.Join(ErrLost, errors.New("token CANARY"))); strings.Contains(got.Error(), "CANARY") || !errors.Is(got, ErrLost) {
		t.Errorf("clean = %v, want the text masked and what it wraps kept", got)
	}
	if env.clean(nil) != nil {
		t.Error("clean makes an error of none")
	}
	long := &RPCError{Message: env.text(strings.Repeat("x", 395) + "CANARY")}
	if strings.Contains(long.Error(), "CAN") {
		t.Errorf("%v holds the beginning of a secret", long)
	}
}
