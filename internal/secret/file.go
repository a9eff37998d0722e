package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"filippo.io/age"

	"mcpproxy/internal/atomicfile"
)

// ErrPassphrase is wrapped when the encrypted file cannot be opened because its
// passphrase is wrong or nobody can be asked for it.
var ErrPassphrase = errors.New("passphrase of the encrypted file")

// The files of a [File] in its folder.
const (
	keyFile   = "secrets-key.age" // an age identity, encrypted with the passphrase
	valueFile = "secrets.age"     // a JSON object of name and value, encrypted to that identity
)

// File is a [Store] in two age files (age-encryption.org/v1), 0600 and replaced
// whole. The passphrase opens the first, by scrypt, once per process; what is
// kept in memory is the identity that it holds, never a value. Anyone with the
// age command and the passphrase can read both. Several processes may use them.
type File struct {
	dir    string
	ask    Passphrase
	mu     sync.Mutex
	opened *age.X25519Identity // nil before the first use
	fault  error               // of the last passphrase, which is not tried again
}

var _ Store = (*File)(nil)

// Passphrase returns the passphrase of a [File]; again is true where a new one is
// chosen, which a person should type twice. Its error should wrap
// [ErrPassphrase] and say how one can be given.
type Passphrase func(again bool) (string, error)

// workFactor is log2 of scrypt's N for new files. 18 is age's own: about a
// second and 256 MB.
var workFactor = 18

// Get implements [Store].
func (f *File) Get(name string) (string, error) {
	if err := checkEntry(name); err != nil {
		return "", err
	}
	values, err := f.read()
	if err != nil {
		return "", err
	}
	value, ok := values[name]
	if !ok {
		return "", fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	return value, nil
}

// Set implements [Store]. The first one chooses the passphrase.
func (f *File) Set(name, value string) error {
	if err := checkEntry(name); err != nil {
		return err
	}
	return f.change(func(values map[string]string) error {
		values[name] = value
		return nil
	})
}

// Delete implements [Store].
func (f *File) Delete(name string) error {
	if err := checkEntry(name); err != nil {
		return err
	}
	return f.change(func(values map[string]string) error {
		if _, ok := values[name]; !ok {
			return fmt.Errorf("%w: %s", ErrNotFound, name)
		}
		delete(values, name)
		return nil
	})
}

// List implements [Store].
func (f *File) List() ([]string, error) {
	values, err := f.read()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(values)), isOwn), err
}

// Unlock asks for the passphrase now rather than at the first use. A store that
// was never set needs none yet.
func (f *File) Unlock() error {
	_, err := f.read()
	return err
}

func (f *File) change(edit func(values map[string]string) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return withFileLock(filepath.Join(f.dir, "secrets.lock"), func() error {
		id, err := f.identity(true)
		if err != nil {
			return err
		}
		values, err := decrypt(filepath.Join(f.dir, valueFile), id)
		if err != nil {
			return err
		}
		if err := edit(values); err != nil {
			return err
		}
		text, err := json.Marshal(values)
		if err != nil {
			return err
		}
		return encrypt(filepath.Join(f.dir, valueFile), text, id.Recipient())
	})
}

func (f *File) read() (map[string]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := filepath.Join(f.dir, valueFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil // nothing was ever set: no need to ask for anything
	}
	id, err := f.identity(false)
	if err != nil {
		return nil, err
	}
	return decrypt(path, id)
}

// identity opens the key file. Without one it makes one if create says so.
func (f *File) identity(create bool) (*age.X25519Identity, error) {
	if f.opened != nil || f.fault != nil {
		return f.opened, f.fault
	}
	path := filepath.Join(f.dir, keyFile)
	sealed, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && create:
		return f.newIdentity(path)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %s is gone, without which %s cannot be read", ErrDamaged, path, valueFile)
	case err != nil:
		return nil, err
	}
	passphrase, err := f.ask(false)
	if err != nil {
		return nil, err
	}
	f.opened, f.fault = openIdentity(path, sealed, passphrase)
	return f.opened, f.fault
}

func openIdentity(path string, sealed []byte, passphrase string) (*age.X25519Identity, error) {
	scrypt, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPassphrase, err)
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), scrypt)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return nil, fmt.Errorf("%w: it is wrong for %s", ErrPassphrase, path)
	}
	var text []byte
	if err == nil {
		text, err = io.ReadAll(r)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrDamaged, path)
	}
	id, err := age.ParseX25519Identity(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrDamaged, path)
	}
	return id, nil
}

func (f *File) newIdentity(path string) (*age.X25519Identity, error) {
	if _, err := os.Stat(filepath.Join(f.dir, valueFile)); err == nil {
		return nil, fmt.Errorf("%w: %s is gone; move %s away to begin anew", ErrDamaged, path, valueFile)
	}
	passphrase, err := f.ask(true)
	if err != nil {
		return nil, err
	}
	scrypt, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPassphrase, err)
	}
	scrypt.SetWorkFactor(workFactor)
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	if err := encrypt(path, []byte(id.String()+"\n"), scrypt); err != nil {
		return nil, err
	}
	f.opened = id
	return id, nil
}

// decrypt returns the values at path, none if there is no such file.
func decrypt(path string, id age.Identity) (map[string]string, error) {
	values := map[string]string{}
	sealed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return values, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), id)
	var text []byte
	if err == nil {
		text, err = io.ReadAll(r)
	}
	if err != nil || json.Unmarshal(text, &values) != nil {
		return nil, fmt.Errorf("%w: %s", ErrDamaged, path)
	}
	return values, nil
}

func encrypt(path string, text []byte, to age.Recipient) error {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, to)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return atomicfile.Write(path, sealed.Bytes(), 0o600)
}
