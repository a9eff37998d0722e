package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/upstream/docker"
)

func newDoctorIsolationCommand(g *global) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "isolation NAME",
		Short: "Show what a server's container lets it see",
		Long: `Start a probe in place of a server, in a container with all of the server's settings,
and show what it sees from inside: user, rights, mounts, network and limits. The
server itself is not started. On macOS and Windows the probe cannot run in a Linux
container; there Docker is asked what the settings are.

It ends with code 1 if something needs attention.`,
		Example:           "  mcpproxy doctor isolation github\n  mcpproxy doctor isolation github -o json",
		Args:              wants("NAME"),
		ValidArgsFunction: completeServers(g),
		RunE: func(cmd *cobra.Command, args []string) error {
			return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				r, err := c.ExamineIsolation(ctx, args[0])
				if err != nil {
					return err
				}
				if err := o.print(cmd, r, func(w io.Writer) { printIsolation(w, r) }); err != nil || r.OK {
					return err
				}
				return errFindings(len(r.Checks) - sound(r.Checks))
			})
		},
	}
	o.flag(cmd)
	return cmd
}

func sound(checks []client.IsolationCheck) (n int) {
	for _, c := range checks {
		if c.OK {
			n++
		}
	}
	return n
}

func printIsolation(w io.Writer, r client.IsolationReport) {
	source := "as a probe sees it from inside"
	if !r.Inside {
		source = "as Docker says; a probe from inside needs Linux"
	}
	fmt.Fprintf(w, "%s in %s, %s:\n\n", escape.Line(r.Server), escape.Line(r.Image), source)
	cells := make([][]string, 0, len(r.Checks))
	for _, c := range r.Checks {
		verdict := "ok"
		if !c.OK {
			verdict = "attention: " + c.Advice
		}
		cells = append(cells, []string{c.What, c.Found, verdict})
	}
	rows(w, []string{"WALL", "FOUND", "VERDICT"}, cells)
}

// newDoctorProbeCommand is what runs in the container.
func newDoctorProbeCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "probe",
		Short:  "Look at the walls around this process",
		Long:   "Print as JSON what this process sees of the walls around it.",
		Hidden: true,
		Args:   wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(docker.Probe(cmd.Context()))
		},
	}
}
