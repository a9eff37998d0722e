package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/internal/secret"
)

// maxSecret is far above any key or token; it bounds what --stdin reads.
const maxSecret = 1 << 20

type secretsSetFlags struct {
	fromEnv string
	stdin   bool
	output
}

func newSecretsSetCommand(g *global) *cobra.Command {
	var f secretsSetFlags
	cmd := &cobra.Command{
		Use:   "set NAME [VALUE]",
		Short: "Store a secret",
		Long: `Store a secret, in place of an earlier one of that name. Without VALUE it is asked
for and not shown. A VALUE on the command line is seen by every program of this
machine meanwhile, and stays in your shell's history.

A running instance restarts the servers that use the secret.`,
		Example: `  mcpproxy secrets set github_token
  mcpproxy secrets set github_token --from-env GITHUB_TOKEN
  pass show github | mcpproxy secrets set github_token --stdin`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, g, args) },
	}
	cmd.Flags().StringVar(&f.fromEnv, "from-env", "", "take the value of this environment `variable`")
	cmd.Flags().BoolVar(&f.stdin, "stdin", false, "read the value from stdin, without a last line end")
	f.flag(cmd)
	return cmd
}

func (f *secretsSetFlags) run(cmd *cobra.Command, g *global, args []string) error {
	if err := f.check(cmd, args); err != nil {
		return err
	}
	name := args[0]
	store, place, err := g.secrets(cmd)
	if err != nil {
		return err
	}
	value, err := f.value(cmd, store, args)
	if err != nil {
		return err
	}
	_, err = interruptible(cmd.Context(), func() (struct{}, error) { return struct{}{}, store.Set(name, value) })
	if err != nil {
		return err
	}
	change := g.secretChanged(cmd, name)
	return f.print(cmd, change, func(w io.Writer) {
		fmt.Fprintf(w, "Stored %s in the %s\n", name, place)
		printRestarted(w, change.Restarted)
		if len(change.Restarted) == 0 {
			fmt.Fprintf(w, "A server gets it where the configuration says ${keyring:%s}\n", name)
		}
	})
}

func (f *secretsSetFlags) check(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return usage(cmd, "NAME is missing")
	case len(args) > 2:
		return usage(cmd, "%d arguments are too many: put a VALUE with spaces in quotes", len(args))
	case len(args) == 2 && (f.fromEnv != "" || f.stdin), f.fromEnv != "" && f.stdin:
		return usage(cmd, "the value can come from one place only: VALUE, --from-env or --stdin")
	}
	return checkSecretName(cmd, args[0])
}

// value is the secret from where the command line says. Nobody is asked for one
// that store cannot hold.
func (f *secretsSetFlags) value(cmd *cobra.Command, store secret.Store, args []string) (value string, err error) {
	if len(args) == 1 && f.fromEnv == "" && isTerminal(cmd.InOrStdin()) {
		if _, err := interruptible(cmd.Context(), func() (struct{}, error) { return struct{}{}, store.Ready() }); err != nil {
			return "", err
		}
	}
	switch {
	case len(args) == 2:
		fmt.Fprintln(cmd.ErrOrStderr(), "warning: a value on the command line is seen by other programs and kept in the shell's history; without it you are asked")
		value = args[1]
	case f.fromEnv != "":
		var set bool
		if value, set = os.LookupEnv(f.fromEnv); !set {
			return "", usage(cmd, "there is no environment variable %s", f.fromEnv)
		}
	case f.stdin:
		value, err = f.read(cmd)
	default:
		value, err = hiddenLine(cmd, "Value of "+args[0]+" (not shown): ")
		if errors.Is(err, errNoTerminal) {
			return "", usage(cmd, "there is no terminal to ask on: use --stdin or --from-env")
		}
	}
	switch {
	case err != nil:
		return "", err
	case value == "":
		return "", usage(cmd, "the value is empty")
	case strings.ContainsRune(value, 0):
		return "", usage(cmd, "the value holds a zero byte, which no server can be given")
	}
	return value, nil
}

func (f *secretsSetFlags) read(cmd *cobra.Command) (string, error) {
	data, err := interruptible(cmd.Context(), func() ([]byte, error) {
		return io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxSecret+1))
	})
	if err == nil && len(data) > maxSecret {
		err = usage(cmd, "the value is longer than %d bytes", maxSecret)
	}
	data = bytes.TrimSuffix(data, []byte("\n"))
	return string(bytes.TrimSuffix(data, []byte("\r"))), err
}

// passphrase asks for that of the encrypted file, twice for a new one.
func passphrase(cmd *cobra.Command) secret.Passphrase {
	if !isTerminal(cmd.InOrStdin()) {
		return nil
	}
	return func(again bool) (string, error) {
		if !again {
			return hiddenLine(cmd, "Passphrase of the encrypted secrets: ")
		}
		first, err := hiddenLine(cmd, "New passphrase for the encrypted secrets (nobody can restore it): ")
		if err != nil {
			return "", err
		}
		second, err := hiddenLine(cmd, "The same once more: ")
		if err == nil && first != second {
			err = errors.New("the two differ")
		}
		return first, err
	}
}
