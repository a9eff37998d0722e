package docker

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// The labels of all that we make.
const (
	labelInstance = "mcpproxy.instance"
	labelServer   = "mcpproxy.server"
	labelRun      = "mcpproxy.run" // one life of the proxy
)

// instanceID returns the name of the instance that owns the data directory dir:
// the same at every start, another one for a copy of the directory elsewhere.
func instanceID(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("docker isolation: %w", err)
	}
	file := filepath.Join(dir, "docker-instance")
	seed, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		seed = []byte(rand.Text() + "\n")
		err = os.WriteFile(file, seed, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("docker isolation: %w", err)
	}
	where, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("docker isolation: %w", err)
	}
	return digest(strings.TrimSpace(string(seed)) + "\x00" + where), nil
}

// digest is a short name for text, safe wherever docker takes a name.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}

// containerName is unique. It begins with what a person looks for.
func (d *Docker) containerName(server string) string {
	return fmt.Sprintf("mcpproxy-%s-%s", slug(server), digest(rand.Text()))
}

// volumeName is of the instance and the server alone.
func (d *Docker) volumeName(server string) string {
	return fmt.Sprintf("mcpproxy-%s-%s-%s", d.instance, slug(server), digest(server))
}

// slug is the part of a server's name that docker allows in names.
func slug(server string) string {
	var b strings.Builder
	for _, r := range server {
		switch {
		case r <= unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}
