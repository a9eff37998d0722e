package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/cmd/mcpproxy/internal/example"
	"mcpproxy/internal/hint"
)

func newExampleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "example NAME [ARGS]",
		Short: "Be one of the example MCP servers",
		Long: `Be one of the example MCP servers, on stdin and stdout, until stdin ends. They need
nothing but this program: ` + strings.Join(example.Names(), ", ") + `.`,
		Example: "  mcpproxy upstream add time -- mcpproxy example time\n  mcpproxy example units",
		Args:    cobra.ArbitraryArgs,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return example.Names(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			names := strings.Join(example.Names(), ", ")
			if len(args) == 0 {
				return usage(cmd, "NAME is missing; it is one of %s", names)
			}
			if !slices.Contains(example.Names(), args[0]) {
				return usage(cmd, "no example %q; there are %s", args[0], names)
			}
			forPrograms(cmd, "To use it: "+hint.Command("upstream", "add", args[0], "--", hint.Program, "example", args[0]))
			return example.Run(cmd.Context(), args[0], args[1:], cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().SetInterspersed(false) // flags behind NAME are the example's
	return cmd
}
