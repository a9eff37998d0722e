package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"mcpproxy/cmd/mcpproxy/internal/bridge"
	"mcpproxy/internal/client"
)

func newStdioCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "stdio",
		Short: "Speak MCP on stdin and stdout for the running instance",
		Long: `Carry an MCP session between stdin and stdout and the running instance: for clients
that start a program instead of opening a URL. It needs "mcpproxy serve" to run, waits
ten seconds for it, and outlives its restarts.`,
		Example: `  "mcpproxy": { "command": "mcpproxy", "args": ["stdio"] }`,
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, place, err := g.place(cmd)
			if err != nil && place.DataDir == "" {
				return err
			}
			forPrograms(cmd, g.here("To give it to a client: mcpproxy connect list"))
			return bridge.Run(cmd.Context(), cmd.InOrStdin(), bridge.Options{
				Dial: func() (bridge.Endpoint, error) {
					c, err := client.Dial(place.DataDir)
					if errors.Is(err, client.ErrNotRunning) {
						return nil, fmt.Errorf("%w: start it with: %s", client.ErrNotRunning, g.here("mcpproxy serve"))
					}
					return c, err
				},
				Out: cmd.OutOrStdout(), Log: cmd.ErrOrStderr(),
			})
		},
	}
}
