package index

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// words returns the folded words of text, compounds in brackets.
func words(text string) []string {
	var out []string
	for _, tok := range newAnalyzer().tokens(text) {
		if tok.compound {
			out = append(out, "["+tok.word+"]")
			continue
		}
		out = append(out, tok.word)
	}
	return out
}

func TestAnalyzer_Tokens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"prose", "List the open issues.", "list the open issues"},
		{"snake", "create_pull_request", "create pull request"},
		{"kebab", "get-workout-count", "get workout count"},
		{"camel", "listItems", "list items [listitems]"},
		{"acronym", "parseHTTPServerURL", "parse http server url [parsehttpserverurl]"},
		{"plural acronym", "list APIs and IDs", "list apis and ids"},
		{"product", "GitHub", "git hub [github]"},
		{"digits", "sha256 of k8s", "sha 256 [sha256] of k 8 s [k8s]"},
		{"apostrophe", "user's don’t", "user s don t"},
		{"diacritics", "Größe café naïve", "grosse cafe naive"},
		{"fullwidth", "ＡＰＩ ﬁle", "api file"},
		{"cyrillic keeps letters", "ёлка", "елка"},
		{"chinese", "天气api", "天 气 [天气] api"},
		{"japanese voicing stays", "が", "が"},
		{"hindi vowel signs stay", "हिन्दी", "हिन्दी"},
		{"punctuation", " — !? ", ""},
		{"invalid utf-8", "a\xffb", "a b"},
		{"blob", strings.Repeat("x", 200) + " end", "end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(words(c.text), " "); got != c.want {
				t.Errorf("tokens(%q) = %q, want %q", c.text, got, c.want)
			}
		})
	}
}

func TestAnalyzer_Stem_JoinsForms(t *testing.T) {
	t.Parallel()
	for _, forms := range [][]string{{"issue", "issues"}, {"create", "creating", "created"}, {"repository", "repositories"}, {"API", "APIs"}} {
		a := newAnalyzer()
		first := a.tokens(forms[0])[0].term
		for _, form := range forms[1:] {
			if got := a.tokens(form)[0].term; got != first {
				t.Errorf("%q gives %q, %q gives %q", form, got.Value(), forms[0], first.Value())
			}
		}
	}
}

func TestVocabulary_Synonyms(t *testing.T) {
	t.Parallel()
	v := loadVocabulary()
	a := newAnalyzer()
	for _, pair := range [][2]string{{"delete", "remove"}, {"repo", "repository"}, {"fetch", "get"}} {
		x, y := a.stem(pair[0]), a.stem(pair[1])
		if !slices.Contains(v.synonyms[x], y) || !slices.Contains(v.synonyms[y], x) {
			t.Errorf("%v are no synonyms of each other", pair)
		}
	}
	for of, list := range v.synonyms {
		if slices.Contains(list, of) {
			t.Errorf("%q is its own synonym", of.Value())
		}
	}
}

func FuzzAnalyzer_Tokens(f *testing.F) {
	for _, seed := range []string{"listItems", "HTTPServer2", "天气API", "e\u0301", "\xff", "ﬁ", "İstanbul", "가나"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first := words(text)
		for _, w := range first {
			if w == "" || !utf8.ValidString(w) {
				t.Errorf("tokens(%q) has %q", text, w)
			}
		}
		if again := words(text); !slices.Equal(first, again) {
			t.Errorf("tokens(%q) = %v, then %v", text, first, again)
		}
		parse(text, shipped())
	})
}
