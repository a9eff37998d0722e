package oauth

import (
	"encoding/json"
	"testing"
)

func TestChallengeParams(t *testing.T) {
	t.Parallel()
	cases := map[string]map[string]string{
		"":       {},
		"Bearer": {},
		`Bearer resource_metadata="https://h/x", scope="a b"`: {"resource_metadata": "https://h/x", "scope": "a b"},
		`Basic realm=x, Bearer Scope=y,error="a\"b"`:          {"realm": "x", "scope": "y", "error": `a"b`},
		`Bearer scope="a`:             {"scope": ""},
		`Bearer scope=1, scope=2`:     {"scope": "1"},
		`Bearer ,, =x, scope="", a=b`: {"scope": "", "a": "b"},
	}
	for in, want := range cases {
		got, _ := json.Marshal(challengeParams(in))
		if w, _ := json.Marshal(want); string(got) != string(w) {
			t.Errorf("challengeParams(%q) = %s, want %s", in, got, w)
		}
	}
}

func FuzzChallengeParams(f *testing.F) {
	f.Add(`Bearer resource_metadata="https://h/x", scope="a b"`)
	f.Add(`a="\`)
	f.Add("\xbe\x97\xe5=") // no UTF-8: folding it would grow
	f.Fuzz(func(t *testing.T, value string) {
		for name, v := range challengeParams(value) {
			if len(name)+len(v) > 2*len(value)+8 {
				t.Errorf("%q grew to %q=%q", value, name, v)
			}
		}
	})
}
