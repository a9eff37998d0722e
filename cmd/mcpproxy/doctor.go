package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/cmd/mcpproxy/internal/app"
	"mcpproxy/cmd/mcpproxy/internal/doctor"
	"mcpproxy/internal/escape"
)

// errFindings makes doctor end with 1; its answer has said why.
type errFindings int

func (n errFindings) Error() string { return plural(int(n), "problem") + " found" }

func newDoctorCommand(g *global) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what is wrong, and what helps",
		Long: `Look at the configuration, the files, the running instance and its servers, the port,
the keyring and every placeholder, the programs that servers need, Docker, the
sentence model, the search index and processes of an earlier run.

Each finding has a code that stays the same, a cause, and what to do. It changes
nothing, and ends with 1 if something does not work.`,
		Example: "  mcpproxy doctor\n  mcpproxy doctor -o json",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			opt, err := g.options(cmd)
			if err != nil {
				return err
			}
			findings := app.Examine(cmd.Context(), opt)
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if err := o.print(cmd, findings, func(w io.Writer) { g.printFindings(w, findings) }); err != nil {
				return err
			}
			wrong := 0
			for _, f := range findings {
				if f.Level == doctor.Error {
					wrong++
				}
			}
			if wrong > 0 {
				return errFindings(wrong)
			}
			return nil
		},
	}
	o.flag(cmd)
	cmd.AddCommand(newDoctorIsolationCommand(g), newDoctorProbeCommand())
	return cmd
}

// levelWords say a level in words, with the same width.
var levelWords = map[doctor.Level]string{doctor.OK: "ok   ", doctor.Attention: "look ", doctor.Error: "ERROR"}

func (g *global) printFindings(w io.Writer, findings []doctor.Finding) {
	for _, f := range findings {
		cause, rest, _ := strings.Cut(g.here(f.Cause), "\n")
		fmt.Fprintf(w, "%s  %s: %s", levelWords[f.Level], escape.Line(f.Subject), escape.Line(cause))
		if f.Level != doctor.OK {
			fmt.Fprintf(w, "  [%s]", f.Code)
		}
		fmt.Fprintln(w)
		if rest != "" {
			fmt.Fprint(w, indent("       ", rest))
		}
		if f.Fix != "" {
			fmt.Fprint(w, indent("       -> ", g.here(f.Fix)))
		}
	}
}
