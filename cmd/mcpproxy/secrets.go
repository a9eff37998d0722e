package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mcpproxy/cmd/mcpproxy/internal/app"
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/hint"
	"mcpproxy/internal/secret"
)

func newSecretsCommand(g *global) *cobra.Command {
	return group("secrets", "API keys and tokens in the keyring",
		`Keep API keys and tokens in the keyring of the operating system instead of in the
configuration file. Where the file says ${keyring:NAME}, in env, args or headers of
a server, the server gets the value when it starts; no listing, log or file shows it.

Secrets belong to you, not to a data directory. On a machine without a keyring they
can lie in an encrypted file: "secrets_backend": "file" in the configuration. Its
passphrase is asked for, or read from `+secret.PassphraseEnv+`.`,
		newSecretsSetCommand(g), newSecretsGetCommand(g), newSecretsListCommand(g), newSecretsDeleteCommand(g))
}

// secrets opens the store that the configuration chooses.
func (g *global) secrets(cmd *cobra.Command) (store secret.Store, place string, err error) {
	opt, err := g.options(cmd)
	if err != nil {
		return nil, "", err
	}
	store, backend, err := app.OpenSecrets(opt)
	return store, placeOf(backend), err
}

func placeOf(backend string) string {
	if backend == secret.BackendFile {
		return "encrypted file"
	}
	return "keyring"
}

// secretName checks NAME, which is all that is checked without a keyring.
func secretName(cmd *cobra.Command, args []string) error {
	if err := wants("NAME")(cmd, args); err != nil {
		return err
	}
	return checkSecretName(cmd, args[0])
}

func checkSecretName(cmd *cobra.Command, name string) error {
	if err := secret.CheckName(name); err != nil {
		return usage(cmd, "%q is %v", name, err)
	}
	return nil
}

func newSecretsGetCommand(g *global) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:               "get NAME",
		Short:             "Print the value of a secret",
		Long:              "Print the value of a secret to stdout. It is the one command that shows one.",
		Example:           "  mcpproxy secrets get github_token\n  GITHUB_TOKEN=$(mcpproxy secrets get github_token) gh repo list",
		Args:              secretName,
		ValidArgsFunction: completeSecrets(g),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, _, err := g.secrets(cmd)
			if err != nil {
				return err
			}
			value, err := interruptible(cmd.Context(), func() (string, error) { return store.Get(args[0]) })
			if err != nil {
				return missingSecret(err, "names: mcpproxy secrets list")
			}
			return o.print(cmd, map[string]string{"name": args[0], "value": value}, func(w io.Writer) { fmt.Fprintln(w, value) })
		},
	}
	o.flag(cmd)
	return cmd
}

func newSecretsDeleteCommand(g *global) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a secret",
		Long: `Delete a secret for good. A running instance restarts the servers that use it; they
fail until it is set again.`,
		Example:           "  mcpproxy secrets delete github_token",
		Args:              secretName,
		ValidArgsFunction: completeSecrets(g),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, place, err := g.secrets(cmd)
			if err != nil {
				return err
			}
			_, err = interruptible(cmd.Context(), func() (struct{}, error) { return struct{}{}, store.Delete(args[0]) })
			if err != nil {
				return missingSecret(err, "names: mcpproxy secrets list")
			}
			change := g.secretChanged(cmd, args[0])
			return o.print(cmd, change, func(w io.Writer) {
				fmt.Fprintf(w, "Deleted %s from the %s\n", args[0], place)
				printRestarted(w, change.Restarted)
			})
		},
	}
	o.flag(cmd)
	return cmd
}

// missingSecret adds a hint where there is no such secret.
func missingSecret(err error, hint string) error {
	if errors.Is(err, secret.ErrNotFound) {
		return fmt.Errorf("%w\nhint: %s", err, hint)
	}
	return err
}

// secretChanged tells a running instance. That the secret is stored counts even
// if it cannot be told.
func (g *global) secretChanged(cmd *cobra.Command, name string) client.SecretChange {
	change := client.SecretChange{Name: name}
	opt, err := g.options(cmd)
	if err == nil {
		change.Restarted, err = app.SecretChanged(cmd.Context(), opt, name)
	}
	if err != nil {
		fmt.Fprint(cmd.ErrOrStderr(), indent("", g.here("warning: the running instance was not told: "+err.Error()+"\nhint: restart the servers that use it: mcpproxy upstream restart NAME")))
	}
	return change
}

func printRestarted(w io.Writer, servers []string) {
	for _, s := range servers {
		fmt.Fprintln(w, "Restarted", escape.Line(s))
	}
}

func newSecretsListCommand(g *global) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show the names of all secrets",
		Long: `Show the names of all secrets, never a value, and which ones servers ask for that
nobody has set. On Linux secrets appear that another program stored under the service
"mcpproxy", such as: secret-tool store --label NAME service mcpproxy username NAME`,
		Example: "  mcpproxy secrets list\n  mcpproxy secrets list -o json",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, place, err := g.secrets(cmd)
			if err != nil {
				return err
			}
			names, err := interruptible(cmd.Context(), store.List)
			if err != nil {
				return err
			}
			cfg, _, err := config.Load(g.path())
			if err != nil {
				cfg, _, _ = config.Parse(nil) // none yet; a faulty one ended the command above
			}
			list := app.SecretsOf(cfg, names)
			return o.print(cmd, list, func(w io.Writer) { g.printSecrets(w, place, list) })
		},
	}
	o.flag(cmd)
	return cmd
}

func (g *global) printSecrets(w io.Writer, place string, list client.Secrets) {
	switch len(list.Secrets) {
	case 0:
		fmt.Fprintf(w, "Found 0 secrets in %s. Store one: %s\n", place, g.here("mcpproxy secrets set NAME"))
	default:
		fmt.Fprintf(w, "Found %s in %s:\n", plural(len(list.Secrets), "secret"), place)
	}
	for _, s := range list.Secrets {
		fmt.Fprintln(w, "  "+escape.Line(s.Name))
	}
	for _, s := range list.Missing {
		fmt.Fprintf(w, "Missing, and used by %s: %s\n", escape.Line(s.UsedBy[0]), escape.Line(g.here(hint.Command("secrets", "set", s.Name))))
	}
}

// completeSecrets offers the names to the shell.
func completeSecrets(g *global) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
		store, place, err := g.secrets(cmd)
		if err == nil && len(args) == 0 && place == "keyring" { // a file would ask for its passphrase
			names, _ = store.List()
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
