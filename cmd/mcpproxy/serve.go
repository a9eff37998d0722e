package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/cmd/mcpproxy/internal/app"
	"mcpproxy/internal/config"
)

// levels are the values of --log-level.
var levels = []string{"trace", "debug", "info", "warn", "error"}

type serveFlags struct {
	listen, logLevel                      string
	tray, readOnly, noManage, add, remove bool
}

func newServeCommand(g *global) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the proxy",
		Long: `Run the proxy until Ctrl-C: the MCP endpoint for agents, and the local socket that
the other commands talk to.

Without a configuration file it starts empty and says what to do next. The file
is followed while it runs: an edit touches only the servers that it changed.
Flags win over the file. An address beyond loopback asks agents for the API key.`,
		Example: `  mcpproxy serve
  mcpproxy serve --listen :9000 --log-level debug
  mcpproxy serve -c ./mcp_config.json -d ./data --tray=false`,
		Args: wants(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd, g, f) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.listen, "listen", "l", "", "listen `address` (default :8080, which is loopback only)")
	flags.BoolVar(&f.tray, "tray", true, "system tray where there is a desktop; --tray=false disables it")
	flags.StringVar(&f.logLevel, "log-level", "", "`level`: trace, debug, info, warn or error (default info)")
	flags.BoolVar(&f.readOnly, "read-only", false, "forbid changes of the configuration")
	flags.BoolVar(&f.noManage, "disable-management", false, "no upstream_servers tool for agents")
	flags.BoolVar(&f.add, "allow-server-add", true, "agents may add servers")
	flags.BoolVar(&f.remove, "allow-server-remove", true, "agents may remove servers")
	return cmd
}

// gcPercent trades a little collecting for memory that stays: at 3,000 tools 70
// holds 150 MB where 40 holds 133, and search is no slower.
const gcPercent = 50

func runServe(cmd *cobra.Command, g *global, f serveFlags) error {
	if err := checkLevel(cmd, f.logLevel); err != nil {
		return err
	}
	if err := config.CheckListen(f.listen); f.listen != "" && err != nil {
		return usage(cmd, "--%v", err)
	}
	opt, err := g.options(cmd)
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	given := func(name string, value *bool) *bool {
		if cmd.Flags().Changed(name) {
			return value
		}
		return nil
	}
	opt.Listen, opt.LogLevel = f.listen, f.logLevel
	opt.Tray = given("tray", &f.tray)
	opt.ReadOnly = given("read-only", &f.readOnly)
	opt.DisableManagement = given("disable-management", &f.noManage)
	opt.AllowServerAdd = given("allow-server-add", &f.add)
	opt.AllowServerRemove = given("allow-server-remove", &f.remove)
	return app.Serve(cmd.Context(), opt, func(r app.Ready) {
		if !isTerminal(cmd.ErrOrStderr()) {
			r.Page = "" // a log is no place for it
		}
		g.sayReady(cmd.ErrOrStderr(), r)
	})
}

func checkLevel(cmd *cobra.Command, level string) error {
	if level == "" || slices.Contains(levels, level) {
		return nil
	}
	return usage(cmd, "--log-level must be one of %s, not %q", strings.Join(levels, ", "), level)
}

// sayReady names the endpoint and the next step.
func (g *global) sayReady(w io.Writer, r app.Ready) {
	fmt.Fprintf(w, "mcpproxy %s serves at %s\n", version, r.Endpoint)
	if r.Page != "" {
		fmt.Fprintf(w, "Web page, this link works once and for five minutes (later: %s):\n  %s\n", g.here("mcpproxy ui"), r.Page)
	} else {
		fmt.Fprintln(w, g.here("Web page: mcpproxy ui prints a link that works once"))
	}
	switch {
	case r.ConfigMissing:
		fmt.Fprintf(w, "There is no configuration yet at %s. Next, in another terminal:\n%s\n", r.ConfigPath,
			g.here("  mcpproxy init                                  write a commented one, or\n"+
				"  mcpproxy upstream add NAME -- COMMAND [ARGS]   add a server at once"))
	case r.Servers == 0:
		fmt.Fprintln(w, "No server is configured yet. Next:", g.here("mcpproxy upstream add NAME -- COMMAND [ARGS]"))
	case r.Waiting > 0:
		fmt.Fprintf(w, "%s configured, %d waiting for your approval. Next: %s\n", plural(r.Servers, "server"), r.Waiting, g.here("mcpproxy quarantine list"))
	default:
		fmt.Fprintf(w, "%s configured\n", plural(r.Servers, "server"))
	}
	alarm(w, r.AutoApproving)
	g.alarmLoss(w, r.Loss)
}
