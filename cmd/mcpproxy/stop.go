package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
)

func newStopCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:     "stop",
		Short:   "End the running instance",
		Long:    "End the running instance and its servers. Calls in flight have three seconds. It is\nno error if none runs.",
		Example: "  mcpproxy stop",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, place, err := g.place(cmd)
			if err != nil && place.DataDir == "" {
				return err
			}
			c, err := client.Dial(place.DataDir)
			if errors.Is(err, client.ErrNotRunning) {
				fmt.Fprintln(cmd.OutOrStdout(), "No instance is running.")
				return nil
			}
			if err != nil {
				return err
			}
			defer c.Close()
			if err := c.Shutdown(cmd.Context()); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "Stopping.")
			return nil
		},
	}
}
