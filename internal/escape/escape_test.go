package escape_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"mcpproxy/internal/escape"
)

func TestLine(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"ascii", `plain "text" <U+0041>`, `plain "text" <U+0041>`},
		{"letters of the world", "Grüße, 日本語, עברית, हिन्दी, 👍🏽", "Grüße, 日本語, עברית, हिन्दी, 👍🏽"},
		{"emoji with selector", "✔️", "✔️"},
		{"line break", "a\r\nb\tc", "a<U+000D><U+000A>b<U+0009>c"},
		{"ansi", "\x1b[2Jx\x1b]8;;http://a\x07", "<U+001B>[2Jx<U+001B>]8;;http://a<U+0007>"},
		{"c1", "\u009b31m\u0085", "<U+009B>31m<U+0085>"},
		{"nul and delete", "\x00\x7f", "<U+0000><U+007F>"},
		{"bidi", "\u202a\u202e\u2066\u2069\u200f\u061c", "<U+202A><U+202E><U+2066><U+2069><U+200F><U+061C>"},
		{"zero width", "a\u200bb\u200d\ufeff\u2060\u00ad", "a<U+200B>b<U+200D><U+FEFF><U+2060><U+00AD>"},
		{"tags", "\U000e0041\U000e007f\U000e0100", "<U+E0041><U+E007F><U+E0100>"},
		{"spaces", "a\u00a0b\u2003\u2028\u3000", "a<U+00A0>b<U+2003><U+2028><U+3000>"},
		{"fillers", "\u3164\u115f\u2800\u034f\ufe00", "<U+3164><U+115F><U+2800><U+034F><U+FE00>"},
		{"private and unassigned", "\ue000\U0010ffff\u0378", "<U+E000><U+10FFFF><U+0378>"},
		{"broken UTF-8", "a\xff\xc0z\ufffd", "a<0xFF><0xC0>z\ufffd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := escape.Line(tt.in); got != tt.want {
				t.Errorf("Line(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestText_KeepsLinesAndTabs(t *testing.T) {
	t.Parallel()
	if got, want := escape.Text("a\n\tb\r\n\u2028"), "a\n\tb<U+000D>\n<U+2028>"; got != want {
		t.Errorf("Text = %q, want %q", got, want)
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a\x1b[0m\u202e\U000e0041\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := escape.Line(s)
		if !utf8.ValidString(got) {
			t.Fatalf("Line(%q) is not UTF-8", s)
		}
		if strings.ContainsFunc(got, forbidden) {
			t.Fatalf("Line(%q) = %q", s, got)
		}
		if again := escape.Line(got); again != got {
			t.Fatalf("Line is not idempotent: %q, then %q", got, again)
		}
	})
}

// forbidden is what must never reach a terminal.
func forbidden(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e ||
		r >= 0x2060 && r <= 0x206f || r >= 0xe0000 && r <= 0xe0fff
}

func TestJSON(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"plain", "{\"a\": \"é 日 😀\"}\n", "{\"a\": \"é 日 😀\"}\n"},
		{"hidden", "\"a\u202eb\u009b\x7f\"", `"a\u202eb\u009b\u007f"`},
		{"beyond the first plane", "\"\U000e0041\"", `"\udb40\udc41"`},
		{"broken UTF-8", "\"\x9b[2J\"", "\"\ufffd[2J\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(escape.JSON([]byte(tt.in))); got != tt.want {
				t.Errorf("JSON(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in    string
		limit int
		want  string
	}{
		{"", 3, ""}, {"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"äöü", 3, "äöü"}, {"äöüß", 3, "äö…"}, {"ab", 1, "…"}, {"a\xff\xffb", 3, "a\xff…"},
	}
	for _, tt := range tests {
		if got := escape.Clip(tt.in, tt.limit); got != tt.want {
			t.Errorf("Clip(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	if got, want := escape.Short(" a\r\n\x1b[2J\u202eb é ", 20), "a   [2J b é"; got != want {
		t.Errorf("Short = %q, want %q", got, want)
	}
	if got, want := escape.Short("a\nbcd", 3), "a …"; got != want {
		t.Errorf("Short = %q, want %q", got, want)
	}
}
