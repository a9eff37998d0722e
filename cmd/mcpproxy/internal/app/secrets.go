package app

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"go.uber.org/zap"

	"mcpproxy/internal/audit"
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/internal/hint"
	"mcpproxy/internal/logging"
	"mcpproxy/internal/secret"
	"mcpproxy/upstream"
)

// OpenSecrets opens the store that opt's configuration chooses, and returns its
// kind. It needs no data directory: what it opens is the user's, and may be in
// use by an instance.
func OpenSecrets(opt Options) (store secret.Store, backend string, err error) {
	a := &App{opt: opt}
	cfg, err := a.locate()
	if err != nil {
		return nil, "", err
	}
	store, err = a.openSecrets(cfg)
	return store, cfg.SecretsBackend, err
}

// SecretChanged tells the instance on opt's data directory, if one runs, that a
// secret was set or deleted, and returns the servers that it restarted.
func SecretChanged(ctx context.Context, opt Options, name string) ([]string, error) {
	a := &App{opt: opt}
	if _, err := a.locate(); err != nil {
		return nil, err
	}
	c, err := client.Dial(a.dir)
	if errors.Is(err, client.ErrNotRunning) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer c.Close()
	change, err := c.SecretChanged(ctx, name)
	return change.Restarted, err
}

func (a *App) openSecrets(cfg *config.Config) (secret.Store, error) {
	return secret.Open(secret.Options{
		Backend: cfg.SecretsBackend, Dir: a.dir, Ask: a.opt.Passphrase,
		LockFile: filepath.Join(config.DefaultDataDir(), "keyring.lock"), // the keyring is one for all data directories
	})
}

// unlockSecrets asks for the passphrase of the encrypted file while the person
// who starts the instance is still there. Without one the servers that need a
// secret fail, each with the cause, and the others run.
func (a *App) unlockSecrets() {
	if f, ok := a.secrets.(*secret.File); ok {
		if err := f.Unlock(); err != nil {
			a.log.Warn("secrets stay locked", zap.Error(err))
		}
	}
}

// expand resolves the placeholders of one text for a launch. What it puts in is
// masked in logs and errors from then on, and kept nowhere else.
func (a *App) expand(text string) (string, error) {
	out, err := secret.Expander{Keyring: a.secrets, Resolved: a.hide}.Expand(text)
	if errors.Is(err, secret.ErrUnavailable) {
		return "", notNow{err}
	}
	return out, err
}

// notNow makes err one that another try may mend.
type notNow struct{ error }

func (notNow) Is(target error) bool { return target == upstream.ErrNotNow }
func (e notNow) Unwrap() error      { return e.error }

func (a *App) hide(kind, name, value string) {
	if kind == "env" && !upstream.SecretVar(name, value) {
		return
	}
	if len(value) >= logging.MinSecret {
		a.redact.Add(value)
	} else if _, said := a.short.LoadOrStore(kind+":"+name, true); !said {
		a.log.Warn("a secret is too short to be masked in logs", zap.String("secret", "${"+kind+":"+name+"}"), zap.Int("least", logging.MinSecret))
	}
}

// Secrets implements [api.Secrets].
func (a *App) Secrets(context.Context) (client.Secrets, error) {
	names, err := a.secrets.List()
	if err != nil {
		return client.Secrets{}, secretError(err)
	}
	return SecretsOf(a.inForce.Load(), names), nil
}

// SecretsOf lists the names with the servers of cfg that use each, and what cfg
// uses beside them.
func SecretsOf(cfg *config.Config, names []string) client.Secrets {
	users := map[string][]string{}
	for _, s := range cfg.Servers {
		for _, name := range secret.Names(placesOf(s)...) {
			users[name] = append(users[name], s.Name)
		}
	}
	list := client.Secrets{Backend: cfg.SecretsBackend, Secrets: []client.Secret{}}
	for _, name := range names {
		list.Secrets = append(list.Secrets, client.Secret{Name: name, UsedBy: users[name]})
		delete(users, name)
	}
	for _, name := range slices.Sorted(maps.Keys(users)) {
		list.Missing = append(list.Missing, client.Secret{Name: name, UsedBy: users[name]})
	}
	return list
}

// placesOf returns the texts of a server in which placeholders are resolved.
func placesOf(s config.Server) []string {
	texts := append([]string{s.WorkingDir}, s.Args...)
	texts = slices.AppendSeq(texts, maps.Values(s.Env))
	texts = slices.AppendSeq(texts, maps.Values(s.Headers))
	if s.OAuth != nil {
		texts = append(texts, s.OAuth.ClientSecret)
	}
	return texts
}

// secretCure is the command that sets the secret which fault says is missing, ""
// if it is something else.
func secretCure(s config.Server, fault string) string {
	for _, name := range secret.Names(placesOf(s)...) {
		if cure := hint.Command("secrets", "set", name); strings.Contains(fault, "`"+cure+"`") {
			return cure
		}
	}
	return ""
}

// SetSecret implements [api.Secrets].
func (a *App) SetSecret(ctx context.Context, name, value string) (client.SecretChange, error) {
	err := secret.CheckName(name)
	if err == nil && value == "" {
		return client.SecretChange{}, &client.Error{Code: client.CodeInvalid, Message: "a secret must not be empty"}
	}
	if err == nil {
		err = a.secrets.Set(name, value)
	}
	return a.secretDone(ctx, "set", name, err)
}

// DeleteSecret implements [api.Secrets].
func (a *App) DeleteSecret(ctx context.Context, name string) (client.SecretChange, error) {
	err := secret.CheckName(name)
	if err == nil {
		err = a.secrets.Delete(name)
	}
	return a.secretDone(ctx, "deleted", name, err)
}

// SecretChanged implements [api.Secrets].
func (a *App) SecretChanged(ctx context.Context, name string) (client.SecretChange, error) {
	return a.secretDone(ctx, "changed", name, secret.CheckName(name))
}

// secretDone records what was done and restarts the servers that use the secret.
func (a *App) secretDone(ctx context.Context, what, name string, err error) (client.SecretChange, error) {
	if err != nil {
		return client.SecretChange{}, secretError(err)
	}
	a.events.Publish(client.EventSecrets, name)
	a.audit.Record(audit.Entry{What: audit.Secret, Actor: audit.ActorOf(ctx), Outcome: audit.OK, Detail: what + " " + name})
	change := client.SecretChange{Name: name}
	for _, s := range a.inForce.Load().Servers {
		if a.serving && slices.Contains(secret.Names(placesOf(s)...), name) && a.pool.Restart(ctx, s.Name) == nil {
			change.Restarted = append(change.Restarted, s.Name)
		}
	}
	return change, nil
}

// secretError is err for a caller of the API, its hint apart.
func secretError(err error) error {
	e := &client.Error{Code: client.CodeInternal}
	for code, kinds := range map[string][]error{
		client.CodeInvalid:     {secret.ErrName, secret.ErrTooBig},
		client.CodeNotFound:    {secret.ErrNotFound},
		client.CodeUnavailable: {secret.ErrUnavailable, secret.ErrPassphrase, secret.ErrDamaged},
	} {
		if slices.ContainsFunc(kinds, func(kind error) bool { return errors.Is(err, kind) }) {
			e.Code = code
		}
	}
	e.Message, e.Hint, _ = strings.Cut(err.Error(), "\nhint: ")
	return e
}
