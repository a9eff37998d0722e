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
	switch _, err := lock.TryLockContext(ctx, 10*time.Millisecond); {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("%s is held by another process: %w", path, err)
	case err != nil:
		return err
	}
	return errors.Join(f(), lock.Unlock())
}
