package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mcpproxy/cmd/mcpproxy/internal/app"
	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/quarantine"
)

type restoreFlags struct {
	global *global
	list   bool
	hash   string
	output
}

// restoreCopy is one backup in JSON and YAML.
type restoreCopy struct {
	Copy      int       `json:"copy"`
	Made      time.Time `json:"made"`
	Approvals int       `json:"approvals"`
	Hash      string    `json:"hash,omitempty"`
	File      string    `json:"file"`
	Fault     string    `json:"fault,omitempty"` // why it cannot be restored
}

func newQuarantineRestoreCommand(g *global) *cobra.Command {
	f := restoreFlags{global: g}
	cmd := &cobra.Command{
		Use:   "restore [COPY]",
		Short: "Bring approvals back from a checked copy",
		Long: `Put the approvals of a copy in the place of those there are now, as after damage to
the database. After each change of approvals mcpproxy keeps a checked copy of them,
three generations in all; 1 is the newest. No instance may run meanwhile.

What would be approved again and what would be taken away is printed, and you are
asked on the terminal for the first six characters of the copy's hash. Without a
terminal nothing is restored, unless --hash names the whole hash. Blocks of now
stay, nothing that was ever seen is trusted at first sight again, and a tool whose
text differs from the approved one waits as ever. An approval that you took back
since the copy was made is among what would be approved again: read that list.`,
		Example: `  mcpproxy quarantine restore --list
  mcpproxy quarantine restore
  mcpproxy quarantine restore 2 --hash 5d41402abc4b...`,
		Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			opt, err := g.options(cmd)
			if err != nil {
				return err
			}
			copies, err := app.Copies(opt)
			if err != nil {
				return err
			}
			if f.list {
				return f.print(cmd, copyDTOs(copies), func(w io.Writer) { g.printCopies(w, copies) })
			}
			return restore(cmd, opt, copies, args, f)
		},
	}
	cmd.Flags().BoolVar(&f.list, "list", false, "show the copies there are")
	cmd.Flags().StringVar(&f.hash, "hash", "", "whole hash of the copy")
	f.flag(cmd)
	return cmd
}

func restore(cmd *cobra.Command, opt app.Options, copies []app.Copy, args []string, f restoreFlags) (err error) {
	r, err := app.OpenRestorer(opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	at, err := chooseCopy(cmd, r, copies, args)
	if err != nil {
		return err
	}
	return restoreFrom(cmd, r, copies[at], at+1, f)
}

// chooseCopy returns which of copies the arguments name, or the best.
func chooseCopy(cmd *cobra.Command, r *app.Restorer, copies []app.Copy, args []string) (at int, err error) {
	if len(copies) == 0 {
		return 0, errors.New("there is no copy to restore\nhint: one is made after each approval; mcpproxy quarantine list shows what waits")
	}
	if len(args) == 0 {
		at, err = r.Choose(copies)
		if err == nil && at < 0 {
			err = errors.New("no copy is sound\nhint: mcpproxy quarantine restore --list")
		}
		return at, err
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 || n > len(copies) {
		return 0, usage(cmd, "there are copies 1 to %d, not %q", len(copies), args[0])
	}
	return n - 1, copies[n-1].Err
}

func restoreFrom(cmd *cobra.Command, r *app.Restorer, c app.Copy, number int, f restoreFlags) error {
	plan, err := r.Plan(c)
	if err != nil {
		return err
	}
	if plan.Empty() && !r.Lost() {
		return f.print(cmd, map[string]any{"restored": nil}, func(w io.Writer) {
			fmt.Fprintf(w, "Nothing to restore: copy %d approves what is approved now.\n", number)
		})
	}
	if f.hash == "" {
		printPlan(cmd.ErrOrStderr(), c, number, plan)
		err = askHash(cmd, "restore", fmt.Sprintf("copy %d", number), strconv.Itoa(number), c.Sum)
	} else if !strings.EqualFold(f.hash, c.Sum) {
		err = &client.Error{Code: client.CodeConflict, Message: fmt.Sprintf("nothing is restored: copy %d has another hash", number), Hint: "mcpproxy quarantine restore --list"}
	}
	if err != nil {
		return err
	}
	if err := r.Restore(c); err != nil {
		return err
	}
	done := map[string]any{"restored": c.Sum, "gained": emptyNotNull(plan.Gained), "lost": emptyNotNull(plan.Lost), "changed": emptyNotNull(plan.Changed)}
	return f.print(cmd, done, func(w io.Writer) {
		fmt.Fprintf(w, "Restored %s of %s. Next: %s\n", plural(c.Approvals, "approval"), c.Time.Local().Format(time.DateTime), f.global.here("mcpproxy serve"))
	})
}

func copyDTOs(copies []app.Copy) []restoreCopy {
	list := make([]restoreCopy, len(copies))
	for i, c := range copies {
		list[i] = restoreCopy{Copy: i + 1, Made: c.Time, Approvals: c.Approvals, Hash: c.Sum, File: c.Path}
		if c.Err != nil {
			list[i].Fault, list[i].Hash = c.Err.Error(), ""
		}
	}
	return list
}

func (g *global) printCopies(w io.Writer, copies []app.Copy) {
	if len(copies) == 0 {
		fmt.Fprintln(w, "There is no copy yet; one is made after each approval.")
		return
	}
	cells := make([][]string, 0, len(copies))
	for i, c := range copies {
		row := []string{strconv.Itoa(i + 1), c.Time.Local().Format(time.DateTime), strconv.Itoa(c.Approvals), fmt.Sprintf("%.12s", c.Sum), "checked"}
		if c.Err != nil {
			row = []string{strconv.Itoa(i + 1), "", "", "", c.Err.Error()}
		}
		cells = append(cells, row)
	}
	rows(w, []string{"COPY", "MADE", "APPROVALS", "HASH", "STATE"}, cells)
	fmt.Fprintln(w, "\nNext:", g.here("mcpproxy quarantine restore COPY, while no instance runs"))
}

// printPlan shows what restoring would change, a line each.
func printPlan(w io.Writer, c app.Copy, number int, p quarantine.Restoration) {
	pairs(w,
		"copy", fmt.Sprintf("%d, made %s", number, c.Time.Local().Format(time.DateTime)),
		"approvals", strconv.Itoa(c.Approvals),
		"file", filepath.Base(c.Path),
		"hash", c.Sum)
	section(w, "Approved again", "+", p.Gained)
	section(w, "Approved with the text of then", "~", p.Changed)
	section(w, "No longer approved", "-", p.Lost)
	section(w, "Blocked, and stays so", " ", p.Blocked)
	section(w, "Blocked again", "x", p.Again)
}

func section(w io.Writer, title, mark string, names []string) {
	if len(names) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n", title)
	for _, name := range names {
		fmt.Fprintf(w, "  %s %s\n", mark, escape.Line(name))
	}
}
