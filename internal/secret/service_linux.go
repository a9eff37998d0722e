package secret

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/godbus/dbus/v5"
)

// Names of the Secret Service API, draft 0.2 of freedesktop.org.
const (
	secretsName    = "org.freedesktop.secrets"
	secretsPath    = "/org/freedesktop/secrets"
	secretsService = "org.freedesktop.Secret.Service"
	secretsColl    = "org.freedesktop.Secret.Collection"
	secretsItem    = "org.freedesktop.Secret.Item"
	loginPath      = secretsPath + "/collection/login"
)

// secretService is the part of the Secret Service that go-keyring lacks: is the
// keyring locked, and what is in it. It asks nobody for a password.
type secretService struct {
	conn       *dbus.Conn
	collection dbus.ObjectPath // the one that go-keyring uses
}

// dialService finds the collection: "login" if there is one, else the default.
// Its error wraps errNoService or errNoCollection.
func dialService(ctx context.Context) (*secretService, error) {
	conn, err := dbus.SessionBus() // one for the process, not ours to close
	if err != nil {
		return nil, fmt.Errorf("%w: no D-Bus session: %w", errNoService, err)
	}
	s := &secretService{conn: conn}
	paths, err := property[[]dbus.ObjectPath](ctx, s, secretsPath, secretsService+".Collections")
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errNoService, err)
	case slices.Contains(paths, loginPath):
		s.collection = loginPath
		return s, nil
	}
	err = s.object(secretsPath).CallWithContext(ctx, secretsService+".ReadAlias", 0, "default").Store(&s.collection)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errNoService, err)
	case s.collection == "/":
		return nil, errNoCollection
	}
	return s, nil
}

func (s *secretService) object(path dbus.ObjectPath) dbus.BusObject {
	return s.conn.Object(secretsName, path)
}

// property reads one property of an object.
func property[T any](ctx context.Context, s *secretService, path dbus.ObjectPath, name string) (value T, err error) {
	i := len(name) - 1
	for i > 0 && name[i] != '.' {
		i--
	}
	var v dbus.Variant
	err = s.object(path).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, name[:i], name[i+1:]).Store(&v)
	if err != nil {
		return value, err
	}
	value, ok := v.Value().(T)
	if !ok {
		return value, fmt.Errorf("%s has another type", name)
	}
	return value, nil
}

func (s *secretService) locked(ctx context.Context) (bool, error) {
	return property[bool](ctx, s, s.collection, secretsColl+".Locked")
}

// names returns the entries of our service, also those that other programs
// made. An unlocked collection is a precondition: a locked one shows none.
func (s *secretService) names(ctx context.Context) ([]string, error) {
	var items []dbus.ObjectPath
	err := s.object(s.collection).CallWithContext(ctx, secretsColl+".SearchItems", 0, map[string]string{"service": service}).Store(&items)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, item := range items {
		attributes, err := property[map[string]string](ctx, s, item, secretsItem+".Attributes")
		if _, ok := errors.AsType[dbus.Error](err); ok {
			continue // deleted since
		}
		if err != nil {
			return nil, err
		}
		names = append(names, attributes["username"])
	}
	return names, nil
}
