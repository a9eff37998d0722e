package main

import (
	"context"
	"fmt"
	"io"
	"os"

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
func alarmAbout(ctx context.Context, cmd *cobra.Command, c *client.Client, server string) error {
	servers, err := c.Servers(ctx)
	for _, s := range servers {
		if server == "" || s.Name == server {
			alarm(cmd.ErrOrStderr(), []client.Server{s})
		}
	}
	return err
}
