package docker

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"

	"mcpproxy/internal/atomicfile"
)

// known remembers which image a name stood for when it was last looked for, over
// restarts and without a docker that runs.
type known struct {
	file string

	mu  sync.Mutex
	ids map[string]string // image id by name; nil: not read yet
}

// Known returns the id (sha256:...) of the image that name stood for when it was
// last looked for, or "".
func (d *Docker) Known(name string) string {
	d.known.mu.Lock()
	defer d.known.mu.Unlock()
	d.known.read()
	return d.known.ids[name]
}

// read fills ids; what cannot be read is found anew. mu is held.
func (k *known) read() {
	if k.ids != nil {
		return
	}
	k.ids = map[string]string{}
	if data, err := os.ReadFile(k.file); err == nil {
		_ = json.Unmarshal(data, &k.ids)
	}
}

// note remembers that name stands for id.
func (k *known) note(name, id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.read(); k.ids[name] == id {
		return nil
	}
	k.ids[name] = id
	data, err := json.Marshal(k.ids)
	if err != nil {
		return err
	}
	return atomicfile.Write(k.file, data, 0o600)
}

func newKnown(dir string) known { return known{file: filepath.Join(dir, "docker-images.json")} }
