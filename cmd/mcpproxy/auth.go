package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
)

func newAuthCommand(g *global) *cobra.Command {
	return group("auth", "Logins at remote servers (OAuth)",
		`Log in at remote servers that ask for it. Tokens are refreshed by themselves and
survive restarts; they are kept encrypted, with their key in the keyring.`,
		newAuthLoginCommand(g), newAuthStatusCommand(g), newAuthLogoutCommand(g))
}

func newAuthLoginCommand(g *global) *cobra.Command {
	var noBrowser bool
	cmd := &cobra.Command{
		Use:   "login NAME",
		Short: "Log in at a server, in the browser",
		Long: `Open the login page of a server in the browser and wait until you have logged in
there, at most five minutes. The server connects then by itself. At most one tab
is opened for a server within five minutes; the address is always printed too.`,
		Example:           "  mcpproxy auth login github\n  mcpproxy auth login github --no-browser",
		Args:              wants("NAME"),
		ValidArgsFunction: completeServers(g),
	}
	cmd.Flags().BoolVar(&noBrowser, "no-browser", false, "print the address instead of opening it")
	return answering(g, cmd, func(ctx context.Context, c *client.Client, args []string) (client.Login, error) {
		return c.LogIn(ctx, args[0], noBrowser, func(p client.LoginPrompt) {
			showPrompt(cmd.ErrOrStderr(), p)
			takePaste(cmd, p)
		})
	}, printLoggedIn)
}

func showPrompt(w io.Writer, p client.LoginPrompt) {
	if p.Opened {
		fmt.Fprintf(w, "Your browser opens the login page of %s. If it does not, open this address:\n", escape.Line(p.Host))
	} else {
		fmt.Fprintf(w, "Open this address of %s in a browser (%s):\n", escape.Line(p.Host), escape.Line(p.Note))
	}
	fmt.Fprintf(w, "\n%s\n\nWaiting until you have logged in; Ctrl-C ends the waiting.\n", escape.Line(p.URL))
}

func printLoggedIn(w io.Writer, l client.Login) {
	fmt.Fprintf(w, "Logged in at %s (%s)\n", escape.Line(l.Server), escape.Line(l.Issuer))
	switch {
	case !l.Kept:
		fmt.Fprintln(w, "This login lasts until the program ends: there is no keyring to keep it safely.")
	case !l.Renewable && l.Expires != nil:
		fmt.Fprintf(w, "It ends %s: this server gives no means to renew it.\n", l.Expires.Local().Format(time.DateTime))
	}
}

func newAuthStatusCommand(g *global) *cobra.Command {
	return answering(g, &cobra.Command{
		Use:     "status",
		Short:   "Show where the logins stand",
		Long:    `Show the login of every remote server: where, with which rights, and until when.`,
		Example: "  mcpproxy auth status\n  mcpproxy auth status -o json",
		Args:    wants(),
	}, func(ctx context.Context, c *client.Client, _ []string) ([]client.Login, error) {
		return c.Logins(ctx)
	}, g.printLogins)
}

func (g *global) printLogins(w io.Writer, list []client.Login) {
	if len(list) == 0 {
		fmt.Fprintln(w, "No remote server is configured that could ask for a login.")
		return
	}
	cells := make([][]string, 0, len(list))
	for _, l := range list {
		cells = append(cells, []string{l.Server, l.State, l.Issuer, l.Scope, validity(l), g.here(loginNote(l))})
	}
	rows(w, []string{"SERVER", "LOGIN", "AT", "SCOPES", "TOKEN", "NOTE"}, cells)
}

// validity says how long the token at hand lasts.
func validity(l client.Login) string {
	switch {
	case l.State != "logged in":
		return ""
	case l.Expires == nil:
		return "no end known"
	case l.Renewable:
		return "renewed by itself"
	default:
		return "until " + l.Expires.Local().Format(time.DateTime)
	}
}

func loginNote(l client.Login) string {
	switch {
	case l.Hint != "":
		return l.Hint
	case l.URL != "":
		return "open " + l.URL
	case l.State == "logged in" && !l.Kept:
		return "lost at the next restart: no keyring"
	default:
		return ""
	}
}

func newAuthLogoutCommand(g *global) *cobra.Command {
	return onServer(g, &cobra.Command{
		Use:     "logout",
		Short:   "Forget the login of a server",
		Long:    "Forget the tokens of a server, and revoke them where it can be told.",
		Example: "  mcpproxy auth logout github",
	}, func(ctx context.Context, c *client.Client, name string) (any, string, error) {
		l, err := c.LogOut(ctx, name)
		return l, "Logged out of " + name, err
	})
}
