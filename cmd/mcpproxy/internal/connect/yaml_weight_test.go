package connect

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServers_YAMLThatGrows: some lines that stand for a billion are refused at
// once, aliases as people use them are read.
func TestServers_YAMLThatGrows(t *testing.T) {
	t.Parallel()
	bomb := "a0: &a0 [x, x]\n"
	for i := 1; i < 100; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	for name, tt := range map[string]struct {
		text string
		want int
	}{
		"aliases of aliases":     {bomb + "extensions: {x: {cmd: y, args: *a99}}\n", -1},
		"an anchor that is used": {"base: &base {type: stdio, cmd: y}\nextensions:\n  one: *base\n  two:\n    <<: *base\n", 2},
	} {
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := Servers(path)
		switch {
		case tt.want < 0 && (err == nil || !strings.Contains(err.Error(), "aliases")):
			t.Errorf("%s: %d servers, %v", name, len(list), err)
		case tt.want >= 0 && (err != nil || len(list) != tt.want):
			t.Errorf("%s: %d servers, %v, want %d", name, len(list), err, tt.want)
		}
	}
}
