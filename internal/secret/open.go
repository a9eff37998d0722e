package secret

import "fmt"

// The backends of [Options].
const (
	BackendKeyring = "keyring" // the operating system's
	BackendFile    = "file"    // an encrypted file, for machines without a keyring
)

// Options of [Open].
type Options struct {
	Backend  string // empty means BackendKeyring; nothing ever falls back to the other
	LockFile string // see [Keyring]
}

// Open returns the store that opt chooses. It asks the store for nothing.
func Open(opt Options) (Store, error) {
	switch opt.Backend {
	case "", BackendKeyring:
		return Keyring{LockFile: opt.LockFile}, nil
	default:
		return nil, fmt.Errorf("secrets backend %q is not supported: use %s", opt.Backend, BackendKeyring)
	}
}
