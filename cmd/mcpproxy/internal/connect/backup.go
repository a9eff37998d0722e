package connect

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"mcpproxy/internal/atomicfile"
)

// backup is a client's file as it was before the first edit that is not undone.
// It holds whatever the person keeps there, so it is 0600 like the rest of the
// data directory.
type backup struct {
	Client  string    `json:"client"`
	Path    string    `json:"path"`
	Time    time.Time `json:"time"`
	Existed bool      `json:"existed"`
	Before  []byte    `json:"before"`
	After   string    `json:"after"` // SHA-256 of what the edit wrote

	file string
}

// backupFile is where the backup of a client's file at path is kept.
func backupFile(dir string, c Client, path string) string {
	return filepath.Join(dir, c.Name+"-"+digest([]byte(path))[:12]+".json")
}

// saveBackup keeps the oldest state: a second edit of a file that is as the
// first one left it does not overwrite what an undo should bring back.
func saveBackup(dir string, p *Plan) error {
	b, err := loadBackup(dir, p.Client, p.Path)
	if err != nil {
		return err
	}
	if b == nil || !b.leftAs(p.before) {
		b = &backup{Client: p.Client.Name, Path: p.Path, Existed: p.Existed, Before: p.before}
	}
	b.Time, b.After = time.Now().UTC(), digest(p.after)
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return atomicfile.Write(backupFile(dir, p.Client, p.Path), text, 0o600)
}

// loadBackup returns nil if there is none.
func loadBackup(dir string, c Client, path string) (*backup, error) {
	file := backupFile(dir, c, path)
	text, err := os.ReadFile(filepath.Clean(file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b := &backup{file: file}
	if err := json.Unmarshal(text, b); err != nil {
		return nil, fmt.Errorf("%s is damaged; remove it to go on without it", file)
	}
	return b, nil
}

func (b *backup) leftAs(now []byte) bool { return digest(now) == b.After }

func (b *backup) remove() error { return os.Remove(b.file) }

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
