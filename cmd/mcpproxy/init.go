package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"mcpproxy/internal/config"
)

func newInitCommand(g *global) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a commented configuration",
		Long: `Write a configuration with comments and commented examples. A file that is there
is left alone.`,
		Example: "  mcpproxy init\n  mcpproxy init --config ./mcp_config.json",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := g.path()
			if err := config.Create(path); err != nil {
				if errors.Is(err, fs.ErrExist) {
					return fmt.Errorf("%s is there already\nhint: edit it, or add a server: mcpproxy upstream add NAME -- COMMAND", path)
				}
				return err
			}
			return o.print(cmd, map[string]string{"config": path}, func(w io.Writer) {
				fmt.Fprintf(w, "Wrote %s\nNext: %s\n", path, g.here("mcpproxy upstream add NAME -- COMMAND [ARGS], then mcpproxy serve"))
			})
		},
	}
	o.flag(cmd)
	return cmd
}
