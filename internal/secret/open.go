package secret

import (
	"errors"
	"fmt"
	"os"
)

// The backends of [Options].
const (
	BackendKeyring = "keyring" // the operating system's
	BackendFile    = "file"    // an encrypted file, for machines without a keyring
)

// PassphraseEnv is the environment variable with the passphrase of a [File].
const PassphraseEnv = "MCPPROXY_SECRETS_PASSPHRASE"

// Options of [Open].
type Options struct {
	Backend  string     // empty means BackendKeyring; nothing ever falls back to the other
	LockFile string     // see [Keyring]
	Dir      string     // of the files of [File]
	Ask      Passphrase // where PassphraseEnv is not set; nil asks nobody
}

// Open returns the store that opt chooses. It asks the store for nothing.
func Open(opt Options) (Store, error) {
	switch opt.Backend {
	case "", BackendKeyring:
		return Keyring{LockFile: opt.LockFile}, nil
	case BackendFile:
		return &File{dir: opt.Dir, ask: opt.passphrase}, nil
	default:
		return nil, fmt.Errorf("secrets backend %q is not one: use %s or %s", opt.Backend, BackendKeyring, BackendFile)
	}
}

// passphrase is the environment's, else what Ask returns.
func (o Options) passphrase(again bool) (string, error) {
	if p := os.Getenv(PassphraseEnv); p != "" {
		return p, nil
	}
	if o.Ask == nil {
		return "", fmt.Errorf("%w: there is no terminal to ask for it\nhint: start mcpproxy with %s set", ErrPassphrase, PassphraseEnv)
	}
	p, err := o.Ask(again)
	if err == nil && p == "" {
		err = errors.New("none was typed")
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrPassphrase, err)
	}
	return p, nil
}
