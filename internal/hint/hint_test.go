package hint

import (
	"os/exec"
	"strings"
	"testing"
)

func TestWord(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in, posix, windows string
	}{
		"plain":        {"github-2.x:create_issue", "github-2.x:create_issue", "github-2.x:create_issue"},
		"letters":      {"größe", "größe", "größe"},
		"placeholder":  {"NAME", "NAME", "NAME"},
		"empty":        {"", "''", "''"},
		"space":        {"my server", "'my server'", "'my server'"},
		"quote":        {"bob's", `'bob'\''s'`, "'bob''s'"},
		"substitution": {"a$(rm -r x)`y`", "'a$(rm -r x)`y`'", "'a$(rm -r x)`y`'"},
		"template":     {"files:template/file:///{path}", "'files:template/file:///{path}'", "'files:template/file:///{path}'"},
		"separator":    {"a;b&c|d", "'a;b&c|d'", "'a;b&c|d'"},
		"history":      {"wow!", "'wow!'", "'wow!'"},
		"backslash":    {`C:\data`, `'C:\data'`, `C:\data`},
		"npm":          {"@scope/server", "@scope/server", "'@scope/server'"},
		"zsh path":     {"=ls", "'=ls'", "'=ls'"},
		"option":       {"--root=/srv", "--root=/srv", "--root=/srv"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := word(tc.in, false); got != tc.posix {
				t.Errorf("word(%q, posix) = %s, want %s", tc.in, got, tc.posix)
			}
			if got := word(tc.in, true); got != tc.windows {
				t.Errorf("word(%q, windows) = %s, want %s", tc.in, got, tc.windows)
			}
		})
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	if got, want := Command("quarantine", "approve", "my server"), "mcpproxy quarantine approve 'my server'"; got != want {
		t.Errorf("Command = %s, want %s", got, want)
	}
}

// What a real shell reads is what was meant.
func FuzzShell(f *testing.F) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Skip("no POSIX shell here; one is sh")
	}
	for _, s := range []string{"", "a b", "it's", "$HOME", "`id`", "*", "~", "#x", "a\nb", `\`, "!", "{a,b}", "größe", "=ls", "-n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, 0) {
			return // no argument can hold it
		}
		out, err := exec.Command(sh, "-c", "printf '[%s]' "+word(s, false)).Output()
		if want := "[" + s + "]"; err != nil || string(out) != want {
			t.Errorf("sh reads %q as %q (%v), want %q", word(s, false), out, err, want)
		}
	})
}
