package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/cmd/mcpproxy/internal/connect"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/hint"
)

// overview tells what the known clients have.
func (f *importFlags) overview(cmd *cobra.Command) error {
	places, err := connect.Here()
	if err != nil {
		return err
	}
	type found struct {
		Client  string   `json:"client"`
		Path    string   `json:"path"`
		Servers []string `json:"servers"`
		Error   string   `json:"error,omitempty"`
	}
	list := []found{}
	for _, c := range connect.Clients() {
		path := c.Path(places)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		row := found{Client: c.Name, Path: path, Servers: []string{}}
		servers, err := connect.Servers(path)
		if err != nil && !errors.Is(err, connect.ErrNoServers) {
			row.Error = err.Error()
		}
		for _, s := range servers {
			if s.Skip == "" {
				row.Servers = append(row.Servers, s.Name)
			}
		}
		list = append(list, row)
	}
	return f.print(cmd, list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "No MCP client's file was found. Name one:", f.global.here("mcpproxy import FILE"))
			return
		}
		cells := make([][]string, 0, len(list))
		for _, row := range list {
			what := strings.Join(row.Servers, ", ")
			switch {
			case row.Error != "":
				what = row.Error
			case what == "":
				what = "none"
			}
			cells = append(cells, []string{row.Client, what, row.Path})
		}
		rows(w, []string{"CLIENT", "SERVERS", "FILE"}, cells)
		if !slices.ContainsFunc(list, func(row found) bool { return len(row.Servers) > 0 }) {
			return
		}
		fmt.Fprintln(w, "Take them over:", f.global.here("mcpproxy import CLIENT"))
	})
}

func (f *importFlags) printImported(w io.Writer, path string, list []imported) {
	if len(list) == 0 {
		fmt.Fprintf(w, "%s holds no server but this proxy\n", escape.Line(path))
		return
	}
	cells := make([][]string, 0, len(list))
	added := 0
	for _, row := range list {
		what := row.Reason
		if what == "" {
			what = row.Launch
		}
		if row.State == "added" {
			added++
		}
		cells = append(cells, []string{row.Name, row.State, what})
	}
	rows(w, []string{"SERVER", "STATE", "WHAT"}, cells)
	for _, row := range list {
		if len(row.Secrets) > 0 {
			fmt.Fprintf(w, "%s: in the keyring now: %s\n", escape.Line(row.Name), escape.Line(strings.Join(row.Secrets, ", ")))
		}
		for _, note := range row.Notes {
			fmt.Fprintf(w, "%s: %s\n", escape.Line(row.Name), escape.Line(f.global.here(note)))
		}
	}
	switch {
	case f.dryRun:
		fmt.Fprintln(w, "Nothing was changed. Without --dry-run the servers marked add are added.")
	case added > 0:
		fmt.Fprintf(w, "%s added; nothing runs before you approved it. Next: %s\n", plural(added, "server"), f.global.here("mcpproxy quarantine list"))
	}
}

func launchWords(s connect.Server) string {
	if s.URL != "" {
		return s.URL
	}
	return hint.Shell(append([]string{s.Command}, s.Args...)...)
}
