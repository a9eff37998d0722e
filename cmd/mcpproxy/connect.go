package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/cmd/mcpproxy/internal/app"
	"mcpproxy/cmd/mcpproxy/internal/connect"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/hint"
)

type connectFlags struct {
	global       *global
	dryRun, undo bool
	file         string
	output
}

func newConnectCommand(g *global) *cobra.Command {
	f := connectFlags{global: g}
	cmd := &cobra.Command{
		Use:   "connect CLIENT",
		Short: "Put mcpproxy into an MCP client's configuration",
		Long: `Write one entry, "mcpproxy", into the file where an MCP client keeps its servers:
` + clientNames() + `.

Everything else in that file stays byte for byte as it is, comments too. A backup
is kept, and --undo brings the file back.`,
		Example: "  mcpproxy connect list\n  mcpproxy connect cursor --dry-run\n  mcpproxy connect cursor\n  mcpproxy connect cursor --undo",
		Args:    wants("CLIENT"),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return strings.Split(clientNames(), ", "), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show the entry, write nothing")
	cmd.Flags().BoolVar(&f.undo, "undo", false, "take the entry out again")
	cmd.Flags().StringVar(&f.file, "file", "", "the client's `file`, where it is not in the usual place")
	f.flag(cmd)
	cmd.AddCommand(newConnectListCommand(g))
	return cmd
}

func clientNames() string {
	var names []string
	for _, c := range connect.Clients() {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// connection is what connect prints as JSON.
type connection struct {
	Client   string         `json:"client"`
	Path     string         `json:"path"`
	Change   string         `json:"change"` // add, update, none or undo
	DryRun   bool           `json:"dry_run,omitempty"`
	Restored bool           `json:"restored,omitempty"` // byte for byte as before
	Entry    map[string]any `json:"entry,omitempty"`    // header values are not shown
}

func (f *connectFlags) run(cmd *cobra.Command, name string) error {
	client, err := connect.Find(name)
	if err != nil {
		return usage(cmd, "%v", err)
	}
	places, err := connect.Here()
	if err != nil {
		return err
	}
	opt, place, err := f.global.place(cmd)
	if err != nil {
		return err
	}
	backups := filepath.Join(place.DataDir, "connect")
	if f.file != "" {
		if f.file, err = filepath.Abs(f.file); err != nil {
			return err
		}
	}
	if f.undo {
		return f.takeBack(cmd, client, places, backups)
	}
	plan, err := client.Plan(places, f.global.entry(place, opt.Executable), f.file)
	if err != nil {
		return fmt.Errorf("%w\nhint: nothing was changed; mcpproxy connect %s --dry-run --file FILE tries another file, docs/setup.md has the entry to write by hand", err, name)
	}
	if !f.dryRun {
		if err := plan.Apply(backups); err != nil {
			return err
		}
	}
	said := connection{Client: client.Name, Path: plan.Path, Change: string(plan.Change), DryRun: f.dryRun, Entry: shown(plan)}
	return f.print(cmd, said, func(w io.Writer) { f.printConnection(w, plan, place.Running) })
}

// entry is how clients reach the proxy of these flags.
func (g *global) entry(place app.Place, executable string) connect.Entry {
	e := connect.Entry{URL: place.Endpoint, Command: executable, Args: []string{"stdio"}}
	for flag, value := range map[string]string{"--config": g.configPath, "--data-dir": g.dataDir} {
		if value == "" {
			continue
		}
		if abs, err := filepath.Abs(value); err == nil {
			value = abs
		}
		e.Args = append(e.Args, flag+"="+value)
	}
	slices.Sort(e.Args[1:])
	if place.Key != "" {
		e.Headers = map[string]string{"Authorization": "Bearer " + place.Key}
	}
	return e
}

// shown is the entry without values of headers.
func shown(plan *connect.Plan) map[string]any {
	m := map[string]any{}
	for _, f := range plan.Fields {
		m[f.Key] = f.Value
		if headers, ok := f.Value.(map[string]string); ok {
			hidden := map[string]string{}
			for name := range headers {
				hidden[name] = "**redacted**"
			}
			m[f.Key] = hidden
		}
	}
	return m
}

// command is how to say the same again without --dry-run.
func (f *connectFlags) command(client string) string {
	words := []string{"connect", client}
	if f.file != "" {
		words = append(words, "--file", f.file)
	}
	return escape.Line(f.global.here(hint.Command(words...)))
}

func (f *connectFlags) printConnection(w io.Writer, plan *connect.Plan, running bool) {
	verb := map[connect.Change]string{connect.Add: "added", connect.Update: "updated", connect.None: "there already:"}[plan.Change]
	if f.dryRun && plan.Change != connect.None {
		verb = "would " + string(plan.Change)
	}
	fmt.Fprintf(w, "%s: %s %q in %s of %s\n", plan.Client.Title, verb, connect.EntryName, plan.Section, escape.Line(plan.Path))
	entry := shown(plan)
	for _, f := range plan.Fields {
		raw, err := json.Marshal(entry[f.Key])
		if err == nil {
			fmt.Fprintf(w, "  %s: %s\n", f.Key, member{value: raw}.pretty())
		}
	}
	switch {
	case plan.Change == connect.None:
		return
	case f.dryRun:
		fmt.Fprintf(w, "Nothing was written. Next: %s\n", f.command(plan.Client.Name))
		return
	}
	rest := "The rest of the file is as it was."
	if !plan.Existed {
		rest = "The file is new."
	}
	fmt.Fprintf(w, "%s Undo: %s --undo\n", rest, f.command(plan.Client.Name))
	if plan.HoldsKey() {
		fmt.Fprintln(w, "It holds the key now, so that only you may read it.")
	}
	if !running {
		fmt.Fprintln(w, "Start the proxy:", f.global.here("mcpproxy serve"))
	}
	fmt.Fprintln(w, "Then "+plan.Client.Next+".")
}

func (f *connectFlags) takeBack(cmd *cobra.Command, client connect.Client, places connect.Places, backups string) error {
	if f.dryRun {
		return usage(cmd, "--undo and --dry-run do not go together")
	}
	u, err := client.Undo(places, backups, f.file)
	if err != nil {
		return err
	}
	said := connection{Client: client.Name, Path: u.Path, Change: "undo", Restored: u.Restored}
	return f.print(cmd, said, func(w io.Writer) {
		how := "is as it was before"
		switch {
		case u.Removed:
			how = "did not exist before and is gone again"
		case !u.Restored:
			how = "changed since; only the entry was taken out"
		}
		fmt.Fprintf(w, "%s: disconnected; %s %s\n", client.Title, escape.Line(u.Path), how)
	})
}

func newConnectListCommand(g *global) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Show the known clients and which are connected",
		Long:    "Show the MCP clients that can be connected, where they keep their servers, and\nwhich of them know this proxy.",
		Example: "  mcpproxy connect list\n  mcpproxy connect list -o json",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := g.connections(cmd)
			if err != nil {
				return err
			}
			return o.print(cmd, list, func(w io.Writer) {
				cells := make([][]string, 0, len(list))
				for _, c := range list {
					cells = append(cells, []string{c.Client, c.State, c.Path, g.here(c.Next)})
				}
				rows(w, []string{"CLIENT", "STATE", "FILE", "NEXT"}, cells)
			})
		},
	}
	o.flag(cmd)
	return cmd
}

// clientState is one row of connect list.
type clientState struct {
	Client string `json:"client"`
	State  string `json:"state"`
	Path   string `json:"path"`
	Next   string `json:"next,omitempty"`
}

func (g *global) connections(cmd *cobra.Command) ([]clientState, error) {
	places, err := connect.Here()
	if err != nil {
		return nil, err
	}
	opt, place, err := g.place(cmd)
	if err != nil {
		return nil, err
	}
	var list []clientState
	for _, c := range connect.Clients() {
		s := clientState{Client: c.Name, Path: c.Path(places), Next: "mcpproxy connect " + c.Name}
		plan, err := c.Plan(places, g.entry(place, opt.Executable), "")
		switch {
		case !c.Installed(places):
			s.State, s.Next = "not found", ""
		case err != nil:
			s.State, s.Next = "file cannot be read", "mcpproxy connect "+c.Name+" --dry-run"
		case plan.Change == connect.None:
			s.State, s.Next = "connected", ""
		case plan.Change == connect.Update:
			s.State = "connected to another address"
		default:
			s.State = "not connected"
		}
		list = append(list, s)
	}
	return list, nil
}
