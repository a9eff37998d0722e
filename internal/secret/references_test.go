package secret_test

import (
	"slices"
	"testing"

	"mcpproxy/internal/secret"
)

func TestReferences(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"plain ${HOME} $x", nil},
		{"Bearer ${keyring:gh}", []string{"${keyring:gh}"}},
		{"${env:A}${keyring:b}-${env:A}", []string{"${env:A}", "${keyring:b}", "${env:A}"}},
		{"${keyring:open", nil},
		{"${${keyring:x}", []string{"${keyring:x}"}},
	} {
		if got := secret.References(c.text); !slices.Equal(got, c.want) {
			t.Errorf("References(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}
