package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Ready implements [Store]. The question makes a locked keyring ask for its
// password.
func (Keyring) Ready() error {
	if _, err := getEntry(indexName); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

// Ready implements [Store]. It asks for the passphrase if one was chosen.
func (f *File) Ready() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return withFileLock(filepath.Join(f.dir, "secrets.lock"), func() error {
		probe, err := os.CreateTemp(f.dir, "secrets-probe-*")
		if err != nil {
			return fmt.Errorf("the encrypted secrets cannot be written: %w", err)
		}
		if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(f.dir, keyFile)); errors.Is(err, fs.ErrNotExist) {
			return nil // Set chooses a passphrase
		}
		_, err = f.identity(false)
		return err
	})
}
