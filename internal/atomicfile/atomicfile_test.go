package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made")
	path := filepath.Join(dir, "settings.json")
	for _, text := range []string{"first", "second"} {
		if err := Write(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); string(got) != text || err != nil {
			t.Errorf("the file holds %q, %v, want %q", got, err, text)
		}
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("Stat = %v, %v, want mode 0600", info, err)
	}
	if left, err := os.ReadDir(dir); len(left) != 1 || err != nil {
		t.Errorf("the folder holds %v, %v, want one file", left, err)
	}
}

func TestWrite_ThroughLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link, target := filepath.Join(dir, "link"), filepath.Join(dir, "target")
	if err := os.Symlink("target", link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if err := Write(link, []byte("text"), 0o600); err != nil { // the target is still missing
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("Lstat(link) = %v, %v, want the link as it was", info, err)
	}
	if got, err := os.ReadFile(target); string(got) != "text" || err != nil {
		t.Errorf("the target holds %q, %v, want %q", got, err, "text")
	}
	ring := filepath.Join(dir, "ring")
	if err := os.Symlink("ring", ring); err != nil {
		t.Fatal(err)
	}
	if err := Write(ring, []byte("text"), 0o600); err == nil {
		t.Error("Write to a link to itself = nil, want an error")
	}
}

func TestWrite_KeepsReadOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("old"), 0o400); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("new"), 0o600); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Write = %v, want %v", err, ErrReadOnly)
	}
	if got, err := os.ReadFile(path); string(got) != "old" || err != nil {
		t.Errorf("the file holds %q, %v, want the old text", got, err)
	}
}
