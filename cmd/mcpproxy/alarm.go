package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/quarantine"
)

// letsPass says in words what a policy lets agents have without a person.
var letsPass = map[string]string{
	string(quarantine.PolicyNewTools):    `its new tools serve without your approval ("auto_approve")`,
	string(quarantine.PolicyAnnotations): `changes of its tools' hints serve without your approval ("auto_approve")`,
	string(quarantine.PolicyAll):         `it serves without your approval, whatever it lists ("quarantine_enabled": false)`,
}

// alarm names, in red on a terminal, every server that the configuration lets
// pass the gate without a person.
func alarm(w io.Writer, servers []client.Server) {
	for _, s := range servers {
		if s.AutoApprove != "" {
			fmt.Fprintln(w, red(w, "warning: "+escape.Line(s.Name)+": "+letsPass[s.AutoApprove]))
		}
	}
}

// red is text in red where a person sees colours.
func red(w io.Writer, text string) string {
	if !colours(w) {
		return text
	}
	return "\x1b[31;1m" + text + "\x1b[0m"
}

// colours reports whether w is a terminal whose owner wants colours.
func colours(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// alarmAbout is alarm for a command that lists no servers; server limits it to
// one, if not empty.
func (g *global) alarmAbout(ctx context.Context, cmd *cobra.Command, c *client.Client, server string) error {
	st, err := c.Status(ctx)
	g.alarmOf(cmd, st, server)
	return err
}

// alarmOf writes every warning of st to stderr.
func (g *global) alarmOf(cmd *cobra.Command, st client.Status, server string) {
	for _, s := range st.Servers {
		if server == "" || s.Name == server {
			alarm(cmd.ErrOrStderr(), []client.Server{s})
		}
	}
	g.alarmLoss(cmd.ErrOrStderr(), st.Loss)
	if st.StorageError != "" {
		w := cmd.ErrOrStderr()
		fmt.Fprintln(w, red(w, "warning: approvals or the record cannot be stored; what is approved goes on: "+escape.Line(st.StorageError)))
	}
}

// alarmLoss says in red that approvals are gone, and how to get them back.
func (g *global) alarmLoss(w io.Writer, l *client.Loss) {
	if l == nil {
		return
	}
	text := "warning: approvals were lost at " + l.Time.Local().Format(time.DateTime) + ", so servers that you approved may wait again: " + escape.Line(l.Reason)
	if l.Kept != "" {
		text += "\nThe damaged file is kept: " + escape.Line(l.Kept)
	}
	if l.Backup != nil {
		text += fmt.Sprintf("\nThere is a checked copy of %s. Stop mcpproxy serve, then: %s", l.Backup.Time.Local().Format(time.DateTime), g.here("mcpproxy quarantine restore"))
	} else {
		text += "\nThere is no copy to restore. Next: " + g.here("mcpproxy quarantine list")
	}
	fmt.Fprintln(w, red(w, text))
}
