package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
)

func newVersionCommand() *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Print the version, the Go release it was built with, and the platform.",
		Example: "  mcpproxy version\n  mcpproxy version -o json",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			platform := runtime.GOOS + "/" + runtime.GOARCH
			v := map[string]string{"version": version, "go": runtime.Version(), "platform": platform}
			return o.print(cmd, v, func(w io.Writer) {
				fmt.Fprintf(w, "mcpproxy %s (%s, %s)\n", version, runtime.Version(), platform)
			})
		},
	}
	o.flag(cmd)
	return cmd
}
