package closest

import (
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	t.Parallel()
	known := []string{"add_note", "delete_note", "get_note", "url", strings.Repeat("x", 100)}
	for _, tt := range []struct{ name, want string }{
		{"addnote", "add_note"},
		{"ADD_NOTE", "add_note"},
		{"delte_note", "delete_note"},
		{"gte_note", "get_note"},
		{"ulr", "url"},
		{"zzz", ""},
		{"", ""},
		{"search", ""},
		{strings.Repeat("x", 99), ""},
	} {
		if got := Name(tt.name, known); got != tt.want {
			t.Errorf("Name(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}
