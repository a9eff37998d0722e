package oauth

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sync"

	"go.uber.org/zap"

	"mcpproxy/internal/secret"
)

// Vault keeps small secret documents, encrypted. Get and Delete return an error
// wrapping [secret.ErrNotFound] where there is none.
type Vault interface {
	Get(name string) ([]byte, error)
	Set(name string, value []byte) error
	Delete(name string) error
}

// record is what is kept of one server. A login is found by server and issuer,
// and used at the issuer that gave it, nowhere else.
type record struct {
	URL    string            `json:"url"`    // of the server
	Issuer string            `json:"issuer"` // of the login in use; another one needs a person
	Logins map[string]*login `json:"logins"` // by issuer
}

// login is what one issuer gave for one server.
type login struct {
	Client   *registration `json:"client,omitempty"`
	Token    *token        `json:"token,omitempty"`
	Resource string        `json:"resource"`
	Endpoint string        `json:"token_endpoint"`
	Revoke   string        `json:"revocation_endpoint,omitempty"`
	Asked    []string      `json:"asked,omitempty"` // scopes of the last login
}

// vault reads and writes records. Without a store, or where that fails, it
// forgets them, and says so once.
type vault struct {
	store Vault
	log   *zap.Logger
	said  sync.Once
}

// entry names the record of a server: the name and the URL, so that a server
// that takes over a name does not get its tokens.
func entry(s Server) string {
	sum := sha256.Sum256([]byte(s.Name + "\n" + s.URL))
	return "oauth-" + hex.EncodeToString(sum[:16])
}

// load returns the record of s, an empty one if there is none. ok is false if
// the store cannot be read now.
func (v *vault) load(s Server) (r record, ok bool) {
	empty := record{URL: s.URL, Logins: map[string]*login{}}
	if v.store == nil {
		return empty, true
	}
	raw, err := v.store.Get(entry(s))
	switch {
	case errors.Is(err, secret.ErrNotFound):
		return empty, true
	case err != nil:
		v.unkept(err)
		return empty, false
	}
	if err := json.Unmarshal(raw, &r); err != nil || r.URL != s.URL || r.Logins == nil {
		v.log.Warn("a kept login is damaged and forgotten", zap.String("server", s.Name))
		return empty, true
	}
	return r, true
}

// save keeps r and reports whether it will survive a restart.
func (v *vault) save(s Server, r record) bool {
	if v.store == nil {
		return false
	}
	raw, err := json.Marshal(r)
	if err == nil {
		err = v.store.Set(entry(s), raw)
	}
	if err != nil {
		v.unkept(err)
	}
	return err == nil
}

// drop forgets the record of s.
func (v *vault) drop(s Server) {
	if v.store == nil {
		return
	}
	if err := v.store.Delete(entry(s)); err != nil && !errors.Is(err, secret.ErrNotFound) {
		v.log.Warn("a kept login could not be deleted", zap.String("server", s.Name), zap.Error(err))
	}
}

func (v *vault) unkept(err error) {
	v.said.Do(func() {
		v.log.Warn("logins are kept in memory only and are lost when this program ends: there is no place to keep them safely", zap.Error(err))
	})
}
