package secret_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"mcpproxy/internal/secret"
)

func TestMain(m *testing.M) {
	if os.Getenv("SECRET_TEST_SESSION") != "" { // a real keyring, of a test
		os.Exit(m.Run())
	}
	keyring.MockInit() // never the real keyring of whoever runs the tests
	secret.NoService()
	secret.CheapScrypt()
	os.Exit(m.Run())
}

// The mock is one per process, so these tests share it and do not run beside
// each other.
func TestKeyring(t *testing.T) {
	var s secret.Store = secret.Keyring{}
	if names, err := s.List(); err != nil || len(names) != 0 {
		t.Fatalf("List of an empty keyring = %q, %v", names, err)
	}
	if err := s.Ready(); err != nil {
		t.Errorf("Ready of an empty keyring = %v", err)
	}
	for _, name := range []string{"github_token", "a.b-c", "github_token"} {
		if err := s.Set(name, "value of "+name); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := s.Get("a.b-c"); v != "value of a.b-c" || err != nil {
		t.Errorf("Get = %q, %v", v, err)
	}
	if names, err := s.List(); err != nil || !slices.Equal(names, []string{"a.b-c", "github_token"}) {
		t.Errorf("List = %q, %v", names, err)
	}
	if err := s.Delete("a.b-c"); err != nil {
		t.Error(err)
	}
	if err := s.Delete("a.b-c"); !errors.Is(err, secret.ErrNotFound) {
		t.Errorf("second Delete = %v, want ErrNotFound", err)
	}
	if _, err := s.Get("a.b-c"); !errors.Is(err, secret.ErrNotFound) {
		t.Errorf("Get of a deleted one = %v, want ErrNotFound", err)
	}
	if names, err := s.List(); err != nil || !slices.Equal(names, []string{"github_token"}) {
		t.Errorf("List = %q, %v", names, err)
	}
	if err := keyring.Delete("mcpproxy", "github_token"); err != nil { // by another program
		t.Fatal(err)
	}
	if err := s.Delete("github_token"); !errors.Is(err, secret.ErrNotFound) {
		t.Errorf("Delete = %v, want ErrNotFound", err)
	}
	if names, _ := s.List(); len(names) != 0 {
		t.Errorf("List = %q, want none", names)
	}
}

func TestKeyring_HidesItsIndex(t *testing.T) {
	s := secret.Keyring{}
	for _, name := range []string{"__mcpproxy_index__", "", "a b", "a}b", "a\x1b", strings.Repeat("x", 129)} {
		_, err := s.Get(name)
		if err = errors.Join(err); !errors.Is(err, secret.ErrName) {
			t.Errorf("Get(%q) = %v, want ErrName", name, err)
		}
		if err := s.Set(name, "v"); !errors.Is(err, secret.ErrName) {
			t.Errorf("Set(%q) = %v, want ErrName", name, err)
		}
		if err := s.Delete(name); !errors.Is(err, secret.ErrName) {
			t.Errorf("Delete(%q) = %v, want ErrName", name, err)
		}
	}
}

func TestKeyring_Unavailable(t *testing.T) {
	keyring.MockInitWithError(errors.New("The name org.freedesktop.secrets was not provided by any .service files"))
	defer keyring.MockInit()
	s := secret.Keyring{}
	if _, err := s.List(); !errors.Is(err, secret.ErrUnavailable) {
		t.Errorf("List = %v, want ErrUnavailable, never an empty list", err)
	}
	if err := s.Ready(); !errors.Is(err, secret.ErrUnavailable) || !strings.Contains(err.Error(), "hint: ") {
		t.Errorf("Ready = %v, want ErrUnavailable and what helps", err)
	}
	if err := s.Set("k", "CANARY"); !errors.Is(err, secret.ErrUnavailable) || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("Set = %v, want ErrUnavailable", err)
	}
	if _, err := secret.Expand("${keyring:k}", s); !errors.Is(err, secret.ErrUnresolved) || !errors.Is(err, secret.ErrUnavailable) {
		t.Errorf("Expand = %v, want ErrUnresolved and ErrUnavailable", err)
	}
}

func TestKeyring_DamagedIndex(t *testing.T) {
	defer keyring.MockInit()
	if err := keyring.Set("mcpproxy", "__mcpproxy_index__", "{"); err != nil {
		t.Fatal(err)
	}
	if _, err := (secret.Keyring{}).List(); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("List = %v, want it to say that the index is damaged", err)
	}
}

// shelf is a store of fixed secrets.
type shelf map[string]string

func (s shelf) Get(name string) (string, error) {
	if v, ok := s[name]; ok {
		return v, nil
	}
	return "", fmt.Errorf("%w: %s", secret.ErrNotFound, name)
}
func (shelf) Set(string, string) error { return nil }
func (shelf) Delete(string) error      { return nil }
func (shelf) List() ([]string, error)  { return nil, nil }
func (shelf) Ready() error             { return nil }

func TestExpand(t *testing.T) {
	t.Setenv("MCPPROXY_TEST_VAR", "from env")
	t.Setenv("MCPPROXY_TEST_EMPTY", "")
	store := shelf{"k": "from keyring", "nested": "${env:HOME}", "ä.b-c": "umlaut"}
	tests := []struct{ name, in, want string }{
		{"plain", "no placeholder $HOME $(x) {y}", "no placeholder $HOME $(x) {y}"},
		{"env", "${env:MCPPROXY_TEST_VAR}", "from env"},
		{"set but empty", "a${env:MCPPROXY_TEST_EMPTY}b", "ab"},
		{"keyring within", "Bearer ${keyring:k}!", "Bearer from keyring!"},
		{"two", "${keyring:k}${env:MCPPROXY_TEST_VAR}", "from keyringfrom env"},
		{"unicode", "${keyring:ä.b-c}", "umlaut"},
		{"foreign", "${HOME} ${file:x} ${ENV:X} ${", "${HOME} ${file:x} ${ENV:X} ${"},
		{"dollar before", "$${keyring:k}", "$from keyring"},
		{"foreign around", "${x${keyring:k}}", "${xfrom keyring}"},
		{"not twice", "${keyring:nested}", "${env:HOME}"},
	}
	for _, tt := range tests {
		if got, err := secret.Expand(tt.in, store); got != tt.want || err != nil {
			t.Errorf("%s: Expand(%q) = %q, %v, want %q", tt.name, tt.in, got, err, tt.want)
		}
	}
}

func TestExpand_Unresolved(t *testing.T) {
	t.Parallel()
	store := shelf{"k": "CANARY"}
	tests := []struct{ name, in, want string }{
		{"env", "${keyring:k}${env:MCPPROXY_TEST_NOT_SET}", "${env:MCPPROXY_TEST_NOT_SET} is not set in the environment"},
		{"keyring", "${keyring:gone}", "${keyring:gone} is not set: run `mcpproxy secrets set gone`"},
		{"empty", "${keyring:}", "not a name"},
		{"unclosed", "Bearer ${keyring:k", "${keyring: has no closing brace"},
		{"control", "${env:a\x1b[2J}", `a\x1b[2J`},
		{"index", "${keyring:__mcpproxy_index__}", "not a name"},
	}
	for _, tt := range tests {
		got, err := secret.Expand(tt.in, store)
		if got != "" || !errors.Is(err, secret.ErrUnresolved) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: Expand(%q) = %q, %v, want ErrUnresolved with %q", tt.name, tt.in, got, err, tt.want)
		}
	}
	if _, err := secret.Expand("${keyring:k}", nil); !errors.Is(err, secret.ErrUnresolved) {
		t.Errorf("Expand without a store = %v, want ErrUnresolved", err)
	}
}

func FuzzExpand(f *testing.F) {
	for _, s := range []string{"", "${", "${env:", "${env:X}", "${keyring:k}", "a${keyring:k}${x}${keyring:k}", "${keyring:${keyring:k}}", "$${keyring:k}"} {
		f.Add(s)
	}
	store := shelf{"k": "\x00VALUE\x00"}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "\x00") {
			return
		}
		got, err := secret.Expand(s, store)
		switch {
		case err != nil && !errors.Is(err, secret.ErrUnresolved):
			t.Fatalf("Expand(%q) = %v", s, err)
		case err != nil && (got != "" || strings.Contains(err.Error(), "VALUE")):
			t.Fatalf("Expand(%q) leaks: %q, %v", s, got, err)
		case err == nil && !strings.Contains(s, "${env:") && got != strings.ReplaceAll(s, "${keyring:k}", "\x00VALUE\x00"):
			t.Fatalf("Expand(%q) = %q", s, got)
		}
	})
}

func TestNames(t *testing.T) {
	t.Parallel()
	texts := []string{"Bearer ${keyring:b}${keyring:a}", "${keyring:b}", "${env:HOME}/x", "${HOME} ${keyring:} ${keyring:__own__} ${keyring:open", "${keyring:c}"}
	if got, want := secret.Names(texts...), []string{"a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("Names = %q, want %q", got, want)
	}
}

func TestExpander_TellsWhatItPutIn(t *testing.T) {
	t.Setenv("MCPPROXY_TEST_VAR", "from env")
	var told []string
	e := secret.Expander{Keyring: shelf{"k": "value"}, Resolved: func(kind, name, value string) { told = append(told, kind, name, value) }}
	got, err := e.Expand("a ${keyring:k} ${env:MCPPROXY_TEST_VAR} ${keyring:gone}")
	if want := []string{"keyring", "k", "value", "env", "MCPPROXY_TEST_VAR", "from env"}; got != "" || !errors.Is(err, secret.ErrUnresolved) || !slices.Equal(told, want) {
		t.Errorf("Expand = %q, %v, told %q, want %q", got, err, told, want)
	}
}
