package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/cmd/mcpproxy/internal/app"
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
)

// errNoConfig is wrapped when the file given with --config is not there.
var errNoConfig = errors.New("no configuration file")

const exitCodes = `
Exit codes: 0 ok, 1 failure, 2 usage, 3 data directory in use by another
instance, 4 configuration, 5 approval or permission needed, 130 interrupted
`

// global holds the flags of every command.
type global struct {
	configPath, dataDir string
	suggested           *regexp.Regexp // the commands in a hint, see [global.here]
}

func newRootCommand(g *global) *cobra.Command {
	root := group("mcpproxy", "One endpoint in front of all your MCP servers",
		`mcpproxy stands between agents and their MCP servers. An agent sees a handful of
tools: it searches in plain words, gets the few definitions that fit, and calls
them through the proxy. A server that nobody approved does not run.

Commands talk to the running instance where there is one, else they work on the
data directory themselves. Answers go to stdout, everything else to stderr.`)
	addTopics(root,
		topic{"Run", []*cobra.Command{newInitCommand(g), newServeCommand(g), newStatusCommand(g), newDoctorCommand(g),
			newUICommand(g), newStopCommand(g)}},
		topic{"Servers and review", []*cobra.Command{newUpstreamCommand(g), newToolsCommand(g), newQuarantineCommand(g),
			newAuditCommand(g)}},
		topic{"Search and call", []*cobra.Command{newSearchCommand(g), newCallCommand(g), newIndexCommand(g), newModelsCommand(g)}},
		topic{"Secrets and logins", []*cobra.Command{newSecretsCommand(g), newAuthCommand(g)}},
		topic{"Clients", []*cobra.Command{newConnectCommand(g), newImportCommand(g), newStdioCommand(g)}},
		topic{"Examples and help", []*cobra.Command{newDemoCommand(), newExampleCommand(), newVersionCommand()}})
	g.suggested = suggestions(root)
	root.Example = `  mcpproxy init
  mcpproxy upstream add files -- npx -y @modelcontextprotocol/server-filesystem ~/notes
  mcpproxy serve
  mcpproxy quarantine approve files
  mcpproxy search "read a text file"`
	root.PersistentFlags().StringVarP(&g.configPath, "config", "c", "", "configuration `file` (default: mcp_config.json in the data directory)")
	root.PersistentFlags().StringVarP(&g.dataDir, "data-dir", "d", "", "data `directory` (default ~/.mcpproxy)")
	root.Version = version
	root.SetVersionTemplate("mcpproxy {{.Version}}\n")
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, "%v", err) })
	root.SetUsageTemplate(root.UsageTemplate() + exitCodes)
	return root
}

// options returns what the global flags say.
func (g *global) options(cmd *cobra.Command) (app.Options, error) {
	if _, err := os.UserHomeDir(); err != nil && g.dataDir == "" && g.configPath == "" {
		return app.Options{}, fmt.Errorf("there is no home directory for the data: %w\nhint: set it, or name a place with --data-dir", err)
	}
	opt := app.Options{ConfigPath: g.configPath, DataDir: g.dataDir, Version: version, Stderr: cmd.ErrOrStderr(), Passphrase: passphrase(cmd)}
	if g.configPath != "" {
		if _, err := os.Stat(g.configPath); errors.Is(err, fs.ErrNotExist) {
			return opt, fmt.Errorf("%w: %s\nhint: write one: mcpproxy init", errNoConfig, g.configPath)
		}
	}
	if info, err := os.Stat(g.dataDir); err == nil && !info.IsDir() {
		return opt, usage(cmd, "--data-dir %s is a file; --config names the configuration", g.dataDir)
	}
	if info, err := os.Stat(g.configPath); err == nil && info.IsDir() {
		return opt, usage(cmd, "--config %s is a folder; --data-dir names the data directory", g.configPath)
	}
	self, err := os.Executable()
	if err != nil {
		return opt, err
	}
	opt.Executable = self
	return opt, nil
}

// place is where the instance of these flags is, or would be; see [app.Locate].
func (g *global) place(cmd *cobra.Command) (app.Options, app.Place, error) {
	opt, err := g.options(cmd)
	if err != nil {
		return opt, app.Place{}, err
	}
	place, err := app.Locate(cmd.Context(), opt)
	return opt, place, err
}

// path is the configuration file that the global flags choose.
func (g *global) path() string {
	switch {
	case g.configPath != "":
		return g.configPath
	case g.dataDir != "":
		return filepath.Join(g.dataDir, config.FileName)
	default:
		return config.DefaultPath()
	}
}

// connect calls f with a client of the instance, or of one that is built for
// this command alone.
func (g *global) connect(cmd *cobra.Command, f func(ctx context.Context, c *client.Client) error) error {
	opt, err := g.options(cmd)
	if err != nil {
		return err
	}
	return withClient(cmd, opt, f)
}

func withClient(cmd *cobra.Command, opt app.Options, f func(ctx context.Context, c *client.Client) error) (err error) {
	c, closeClient, err := app.Connect(cmd.Context(), opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeClient()) }()
	return f(cmd.Context(), c)
}

// usageError is a command line that cannot be meant.
type usageError struct{ message, hint string }

func (e *usageError) Error() string { return e.message + "\nhint: " + e.hint }

func usage(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{message: fmt.Sprintf(format, args...), hint: cmd.CommandPath() + " --help"}
}

// group makes a command that only has subcommands. An unknown one names the
// nearest.
func group(use, short, long string, subcommands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Long: long, Args: cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2}
	cmd.AddCommand(subcommands...)
	cmd.RunE = runGroup
	return cmd
}

// runGroup answers a group without one of its commands.
func runGroup(cmd *cobra.Command, args []string) error {
	if len(args) == 0 && !cmd.HasParent() {
		return cmd.Help()
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	slices.Sort(names)
	if len(args) == 0 {
		return usage(cmd, "%s needs one of: %s", cmd.CommandPath(), strings.Join(names, ", "))
	}
	e := &usageError{message: fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath()), hint: cmd.CommandPath() + " --help"}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		e.hint = "did you mean " + cmd.CommandPath() + " " + strings.Join(near, " or ") + "?"
	}
	return e
}

// atMostOne checks the number of arguments of a command that needs none.
func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usage(cmd, "unexpected argument %q", args[1])
	}
	return nil
}

// nameOnce reads a name that is an argument or the value of a flag.
func nameOnce(cmd *cobra.Command, flag *string, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case *flag != "" && *flag != args[0]:
		return usage(cmd, "%q and %q: name it once, as an argument or with the flag", args[0], *flag)
	}
	*flag = args[0]
	return nil
}

// wants checks the number of arguments; names are as in the usage line.
func wants(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usage(cmd, "%s is missing", names[len(args)])
		case len(args) > len(names):
			return usage(cmd, "unexpected argument %q", args[len(names)])
		}
		if i := slices.Index(args, ""); i >= 0 {
			return usage(cmd, "%s is empty", names[i])
		}
		return nil
	}
}
