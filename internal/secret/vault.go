package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"mcpproxy/internal/atomicfile"
)

// Errors of a [Vault].
var (
	// ErrVaultKey is wrapped when the key that a value was sealed with is gone.
	ErrVaultKey = errors.New("the vault's key is not in the keyring")
	// ErrDamaged is wrapped when a file is not what this package wrote.
	ErrDamaged = errors.New("damaged file")
)

const (
	// vaultKeyName is the entry of the store that holds a vault's key.
	vaultKeyName = "__mcpproxy_vault__"
	vaultMagic   = "mcpproxy vault 1\n"
	vaultSuffix  = ".sealed"
	keyIDSize    = 8
)

// Vault keeps values that are too large for a keyring, such as tokens: each in a
// 0600 file of its own, sealed with AES-256-GCM under a random key that lives in
// a [Store]. A file is bound to its name and cannot stand in for another.
// Safe for concurrent use, also by several processes.
type Vault struct {
	dir  string
	keys Store
	mu   sync.Mutex // one writer of this process
}

// OpenVault makes the folder. It asks keys for nothing: the first Get of a value
// that exists, or the first Set, does. Several vaults may share keys.
func OpenVault(dir string, keys Store) (*Vault, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return &Vault{dir: dir, keys: keys}, nil
}

// Get returns the value of name. Its error wraps [ErrNotFound] if there is none,
// [ErrDamaged] if the file was altered or cut, [ErrVaultKey] if it was sealed
// with a key that is gone, and [ErrUnavailable] if keys cannot be read.
func (v *Vault) Get(name string) ([]byte, error) {
	_, value, err := v.read(v.path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("vault: %w: %s", ErrNotFound, name)
	case err != nil:
		return nil, fmt.Errorf("vault: %s: %w", name, err)
	}
	return value, nil
}

// Set stores value, of any size, under name, which may be any text. When it
// returns, the value is on disk. The first Set makes the key.
func (v *Vault) Set(name string, value []byte) error {
	err := v.locked(func() error {
		key, err := v.key(true)
		if err != nil {
			return err
		}
		path := v.path(name)
		return atomicfile.Write(path, seal(key, filepath.Base(path), name, value), 0o600)
	})
	if err != nil {
		return fmt.Errorf("vault: %s: %w", name, err)
	}
	return nil
}

// Delete removes name, whether its value could be read or not. Its error wraps
// [ErrNotFound] if there is none.
func (v *Vault) Delete(name string) error {
	err := v.locked(func() error { return os.Remove(v.path(name)) })
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("vault: %w: %s", ErrNotFound, name)
	case err != nil:
		return fmt.Errorf("vault: %s: %w", name, err)
	}
	return nil
}

// List returns the names whose values can be read, sorted, and an error that
// names each file that cannot.
func (v *Vault) List() ([]string, error) {
	entries, err := os.ReadDir(v.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("vault: %w", err)
	}
	var names []string
	var faults []error
	for _, e := range entries {
		path := filepath.Join(v.dir, e.Name())
		if filepath.Ext(path) != vaultSuffix {
			continue
		}
		name, _, err := v.read(path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // deleted since
		case err != nil:
			faults = append(faults, fmt.Errorf("vault: %s: %w", path, err))
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, errors.Join(faults...)
}

// path is the file of a name, which may hold what a file name cannot.
func (v *Vault) path(name string) string {
	sum := sha256.Sum256([]byte(name))
	return filepath.Join(v.dir, hex.EncodeToString(sum[:16])+vaultSuffix)
}

func (v *Vault) locked(f func() error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return withFileLock(filepath.Join(v.dir, "lock"), f)
}

// key returns the key in the store. Without one it wraps ErrVaultKey, or makes
// one if create says so; the caller then holds the lock.
func (v *Vault) key(create bool) ([]byte, error) {
	text, err := v.keys.Get(vaultKeyName)
	switch {
	case errors.Is(err, ErrNotFound) && create:
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails
		return key, v.keys.Set(vaultKeyName, base64.StdEncoding.EncodeToString(key))
	case errors.Is(err, ErrNotFound):
		return nil, ErrVaultKey
	case err != nil:
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("%w: the entry %s is no key", ErrVaultKey, vaultKeyName)
	}
	return key, nil
}

func (v *Vault) read(path string) (name string, value []byte, err error) {
	sealed, err := os.ReadFile(path)
	if err != nil {
		return "", nil, err
	}
	key, err := v.key(false)
	if err != nil {
		return "", nil, err
	}
	return unseal(key, filepath.Base(path), sealed)
}

// seal returns vaultMagic, the key's id, then nonce and ciphertext of the name,
// behind its length, and the value. The file's name is authenticated with it.
func seal(key []byte, file, name string, value []byte) []byte {
	header := slices.Concat([]byte(vaultMagic), keyID(key))
	plain := binary.AppendUvarint(nil, uint64(len(name)))
	plain = append(append(plain, name...), value...)
	return gcm(key).Seal(header, nil, plain, slices.Concat(header, []byte(file))) //nolint:gosec // nil because it makes its own nonce
}

func unseal(key []byte, file string, sealed []byte) (name string, value []byte, err error) {
	const head = len(vaultMagic) + keyIDSize
	if len(sealed) < head || !strings.HasPrefix(string(sealed[:head]), vaultMagic) {
		return "", nil, ErrDamaged
	}
	header := sealed[:head]
	if string(header[len(vaultMagic):]) != string(keyID(key)) {
		return "", nil, fmt.Errorf("%w: another one is", ErrVaultKey)
	}
	plain, err := gcm(key).Open(nil, nil, sealed[head:], slices.Concat(header, []byte(file)))
	if err != nil {
		return "", nil, ErrDamaged
	}
	n, size := binary.Uvarint(plain)
	if size <= 0 || n > uint64(len(plain)-size) {
		return "", nil, ErrDamaged
	}
	rest := plain[size:]
	return string(rest[:n]), rest[n:], nil
}

// keyID tells keys apart without saying anything about them.
func keyID(key []byte) []byte {
	sum := sha256.Sum256(append([]byte(vaultMagic), key...))
	return sum[:keyIDSize]
}

// gcm puts a random nonce in front of what it seals.
func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // 32 bytes always make a key
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the block size of GCM
	}
	return aead
}
