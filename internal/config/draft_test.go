package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"mcpproxy/internal/config"
)

func TestDraft_AddServer(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), config.FileName)
	text := `{ "mcpServers": { "a": { "command": "x" } } } // mine`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file := config.NewFile(path)
	d, err := file.Draft()
	if err != nil {
		t.Fatal(err)
	}
	command := []config.Field{{Key: "command", Value: "y"}}
	if err := d.AddServer("a", command); !errors.Is(err, config.ErrExists) {
		t.Errorf("AddServer of one that is there = %v, want ErrExists", err)
	}
	inDraft, inFile := d.AddServer("b:c", command), file.AddServer("b:c", command)
	if inDraft == nil || inFile == nil || inDraft.Error() != inFile.Error() {
		t.Errorf("AddServer of a bad name = %v, and in the file %v, want the same error", inDraft, inFile)
	}
	if err := d.AddServer("b", command); err != nil {
		t.Errorf("AddServer = %v", err)
	}
	if err := d.AddServer("b", command); !errors.Is(err, config.ErrExists) {
		t.Errorf("AddServer once more = %v, want ErrExists", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("the file is %q (%v), want it as it was", got, err)
	}
}
