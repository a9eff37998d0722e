package main

import (
	"path/filepath"
	"testing"

	"mcpproxy/internal/hint"
)

func TestGlobal_Here(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("/")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "srv") // absolute, and one word for a shell
	spaced := filepath.Join(dir, "$1 data")
	for name, tc := range map[string]struct {
		flags      []string
		text, want string
	}{
		"no flags":       {nil, "mcpproxy serve", "mcpproxy serve"},
		"directory":      {[]string{"-d", dir}, "mcpproxy serve", "mcpproxy -d " + dir + " serve"},
		"both":           {[]string{"-d", dir, "--config=" + dir}, "hint: mcpproxy init", "hint: mcpproxy -c " + dir + " -d " + dir + " init"},
		"quoted":         {[]string{"-d", spaced}, "mcpproxy status", "mcpproxy -d '" + spaced + "' status"},
		"two":            {[]string{"-d", dir}, "mcpproxy quarantine inspect a, then mcpproxy quarantine approve a", "mcpproxy -d " + dir + " quarantine inspect a, then mcpproxy -d " + dir + " quarantine approve a"},
		"in parentheses": {[]string{"-d", dir}, "none (mcpproxy upstream add NAME)", "none (mcpproxy -d " + dir + " upstream add NAME)"},
		"backquotes":     {[]string{"-d", dir}, "run `mcpproxy secrets set x`", "run `mcpproxy -d " + dir + " secrets set x`"},
		"no command":     {[]string{"-d", dir}, "no mcpproxy is running", "no mcpproxy is running"},
		"longer word":    {[]string{"-d", dir}, "mcpproxy serves at", "mcpproxy serves at"},
		"other program":  {[]string{"-d", dir}, "/opt/mcpproxy serve, not-mcpproxy serve", "/opt/mcpproxy serve, not-mcpproxy serve"},
		"example":        {[]string{"-d", dir}, "mcpproxy upstream add time -- mcpproxy example time", "mcpproxy -d " + dir + " upstream add time -- mcpproxy example time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := readFlags(t, tc.flags).here(tc.text); got != tc.want {
				t.Errorf("here(%q) = %q, want %q", tc.text, got, tc.want)
			}
		})
	}
	abs, err := filepath.Abs("data")
	if got, want := readFlags(t, []string{"-d", "data"}).here("mcpproxy serve"), hint.Command("-d", abs, "serve"); err != nil || got != want {
		t.Errorf("here = %q (%v), want %q", got, err, want)
	}
}

// readFlags is what the program keeps of these global flags.
func readFlags(t *testing.T, flags []string) *global {
	t.Helper()
	var g global
	if err := newRootCommand(&g).ParseFlags(flags); err != nil {
		t.Fatal(err)
	}
	return &g
}
