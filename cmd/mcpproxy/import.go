package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/cmd/mcpproxy/internal/app"
	"mcpproxy/cmd/mcpproxy/internal/connect"
	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/hint"
)

type importFlags struct {
	global  *global
	dryRun  bool
	only    []string
	secrets string
	output
}

func newImportCommand(g *global) *cobra.Command {
	f := importFlags{global: g}
	cmd := &cobra.Command{
		Use:   "import [CLIENT | FILE]",
		Short: "Take over the servers of an MCP client",
		Long: `Add the servers that an MCP client has configured, from the client's own file or
from any file in the form of one: a map or list below "mcpServers", VS Code's
"servers", Codex's TOML, Goose's YAML. Without an argument it tells what is found.

They wait for your approval like every new server. The client's file is only
read. Values that look like secrets are offered to the keyring, so that the
configuration holds a placeholder instead: on a terminal it asks, else --secrets
says what to do.`,
		Example: "  mcpproxy import\n  mcpproxy import cursor --dry-run\n  mcpproxy import claude-desktop --secrets keyring\n  mcpproxy import ./mcp.json --only github",
		Args:    atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains([]string{"ask", "keyring", "keep"}, f.secrets) {
				return usage(cmd, "--secrets must be ask, keyring or keep, not %q", f.secrets)
			}
			if len(args) == 0 {
				return f.overview(cmd)
			}
			return f.run(cmd, args[0])
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return strings.Split(clientNames(), ", "), cobra.ShellCompDirectiveDefault
		},
	}
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would be added, change nothing")
	cmd.Flags().StringSliceVar(&f.only, "only", nil, "take these servers only")
	cmd.Flags().StringVar(&f.secrets, "secrets", "ask", "plain secrets: ask, keyring (move them) or keep (as they are)")
	f.flag(cmd)
	return cmd
}

// imported is one row of the answer. It never holds values.
type imported struct {
	Name    string   `json:"name"`
	State   string   `json:"state"` // add, added, exists or skipped
	Reason  string   `json:"reason,omitempty"`
	Launch  string   `json:"launch,omitempty"` // the command or URL
	Env     []string `json:"env_names,omitempty"`
	Headers []string `json:"header_names,omitempty"`
	Secrets []string `json:"secrets,omitempty"` // moved to the keyring, by name
	Notes   []string `json:"notes,omitempty"`
}

// source is the file that the argument means.
func (f *importFlags) source(cmd *cobra.Command, arg string) (string, error) {
	c, err := connect.Find(arg)
	if err == nil {
		places, err := connect.Here()
		return c.Path(places), err
	}
	if _, statErr := os.Stat(arg); statErr != nil {
		return "", usage(cmd, "%q is neither a client (%s) nor a file", arg, clientNames())
	}
	return filepath.Abs(arg)
}

func (f *importFlags) run(cmd *cobra.Command, arg string) error {
	path, err := f.source(cmd, arg)
	if err != nil {
		return err
	}
	servers, err := connect.Servers(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is not set up here: there is no %s\nhint: where its file lies elsewhere, name it: mcpproxy import FILE; mcpproxy import tells what is found", arg, path)
	case err != nil:
		return err
	}
	for _, name := range f.only {
		if !slices.ContainsFunc(servers, func(s connect.Server) bool { return s.Name == name }) {
			return usage(cmd, "%s has no server %q", path, name)
		}
	}
	return f.global.connect(cmd, func(ctx context.Context, c *client.Client) error {
		known, err := c.Servers(ctx)
		if err != nil {
			return err
		}
		cfg, err := c.Config(ctx)
		if err != nil {
			return err
		}
		rehearsal, err := app.Rehearse(cfg)
		if err != nil {
			return err
		}
		list := make([]imported, 0, len(servers))
		var failed error
		for _, s := range servers {
			if len(f.only) > 0 && !slices.Contains(f.only, s.Name) {
				continue
			}
			row, err := f.take(cmd, c, rehearsal, known, s)
			failed = errors.Join(failed, err)
			list = append(list, row)
		}
		return errors.Join(f.print(cmd, list, func(w io.Writer) { f.printImported(w, path, list) }), failed)
	})
}

// take adds one server. A refusal of the configuration is a skipped row, not an
// error, and found before a secret is moved.
func (f *importFlags) take(cmd *cobra.Command, c *client.Client, rehearsal *app.Rehearsal, known []client.Server, s connect.Server) (imported, error) {
	row := imported{Name: s.Name, State: "skipped", Reason: s.Skip, Notes: s.Notes, Launch: launchWords(s),
		Env: slices.Sorted(maps.Keys(s.Env)), Headers: slices.Sorted(maps.Keys(s.Headers))}
	if s.Skip != "" {
		return row, nil
	}
	if slices.ContainsFunc(known, func(k client.Server) bool { return k.Name == s.Name }) {
		row.State, row.Reason = "exists", "a server of that name is configured"
		return row, nil
	}
	if err := rehearsal.AddServer(changeOf(s)); err != nil {
		return row.refused(err)
	}
	plain := s.Plain()
	if f.dryRun {
		row.State = "add"
		for _, p := range plain {
			row.Notes = append(row.Notes, fmt.Sprintf("%s %s looks like a secret: --secrets keyring keeps it as %s", p.Where, p.Key, p.Name))
		}
		return row, nil
	}
	for _, p := range plain {
		moved, err := f.hide(cmd, s, p)
		if err != nil {
			return row, err
		}
		if moved {
			row.Secrets = append(row.Secrets, p.Name)
		} else {
			row.Notes = append(row.Notes, fmt.Sprintf("%s %s stands in the configuration as it is; %s, then write ${keyring:%s}", p.Where, p.Key, hint.Command("secrets", "set", p.Name), p.Name))
		}
	}
	if _, err := c.AddServer(cmd.Context(), changeOf(s)); err != nil {
		return row.refused(err)
	}
	row.State = "added"
	return row, nil
}

// refused is the row with the reason why the configuration does not take it. Any
// other error stays one.
func (row imported) refused(err error) (imported, error) {
	refusal, ok := errors.AsType[*client.Error](err)
	if !ok {
		return row, err
	}
	row.Reason = refusal.Message
	if _, faults, many := strings.Cut(row.Reason, "\n  "); many {
		row.Reason = strings.ReplaceAll(faults, "\n ", ";")
	}
	return row, nil
}

// hide moves one value to the keyring if the person wants it there.
func (f *importFlags) hide(cmd *cobra.Command, s connect.Server, p connect.Plain) (bool, error) {
	switch f.secrets {
	case "keep":
		return false, nil
	case "ask":
		answer, asked, err := question(cmd, fmt.Sprintf("%s: move %s %s to the keyring as %q? [Y/n] ", escape.Line(s.Name), p.Where, escape.Line(p.Key), p.Name))
		if err != nil {
			return false, err
		}
		if !asked || strings.HasPrefix(strings.ToLower(answer), "n") {
			return false, nil
		}
	}
	store, _, err := f.global.secrets(cmd)
	if err != nil {
		return false, err
	}
	if old, err := store.Get(p.Name); err == nil && old != p.Value {
		return false, fmt.Errorf("secret %q exists already with another value\nhint: take the server over with --secrets keep and choose a name yourself", p.Name)
	}
	if err := store.Set(p.Name, p.Value); err != nil {
		return false, err
	}
	s.Hide(p)
	return true, nil
}

// changeOf is s as the API wants it.
func changeOf(s connect.Server) client.ServerChange {
	on := !s.Disabled
	c := client.ServerChange{Name: &s.Name, Enabled: &on}
	set := func(dst **string, value string) {
		if value != "" {
			*dst = &value
		}
	}
	set(&c.Command, s.Command)
	set(&c.URL, s.URL)
	set(&c.WorkingDir, s.WorkingDir)
	set(&c.Protocol, s.Transport)
	if len(s.Args) > 0 {
		c.Args = &s.Args
	}
	if len(s.Env) > 0 {
		c.Env = &s.Env
	}
	if len(s.Headers) > 0 {
		c.Headers = &s.Headers
	}
	return c
}
