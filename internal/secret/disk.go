package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// patience is how long one request to a keyring, and the wait for another
// process that writes, may take.
const patience = 5 * time.Second

// withFileLock runs f while no other process runs one under the same path, which
// it makes. It waits for at most [patience].
func withFileLock(path string, f func() error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	lock := flock.New(path, flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return fmt.Errorf("%s is held by another process: %w", path, err)
	}
	return errors.Join(f(), lock.Unlock())
}

// writeFile replaces path by a 0600 file with the given content. A reader, also
// after a crash, sees the old content or the new one.
func writeFile(path string, content []byte) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".secret-*.tmp") // made 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(content)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	if d, err := os.Open(dir); err == nil { // the rename itself; best effort, as not every system can
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}
