package api

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mcpproxy/internal/atomicfile"
	"mcpproxy/internal/client"
)

const minKey = 16 // characters of a key that a person chose

// Key returns the API key of dataDir, making a random one (256 bit) at the first
// run. The file is 0600, and is made so again if it was wider. The caller holds
// the data directory.
func Key(dataDir string) (string, error) {
	path := filepath.Join(dataDir, client.KeyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newKey(path)
	}
	if err != nil {
		return "", fmt.Errorf("API key: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return "", fmt.Errorf("API key: %w", err)
	}
	key := strings.TrimSpace(string(text))
	if len(key) < minKey || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("API key: %s must hold one word of at least %d ASCII characters\nhint: delete the file to get a new one", path, minKey)
	}
	return key, nil
}

func newKey(path string) (string, error) {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	key := hex.EncodeToString(raw[:])
	if err := atomicfile.Write(path, []byte(key+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("API key: %w", err)
	}
	return key, nil
}
