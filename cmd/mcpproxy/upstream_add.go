package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/hint"
)

type upstreamAddFlags struct {
	url, workingDir, protocol string
	env, headers              []string
	disabled                  bool
	output
}

func newUpstreamAddCommand(g *global) *cobra.Command {
	var f upstreamAddFlags
	cmd := &cobra.Command{
		Use:   "add NAME (-- COMMAND [ARGS] | --url URL)",
		Short: "Add a server to the configuration",
		Long: `Add a server to the configuration: a command that speaks MCP on stdin and stdout,
or the URL of a remote one. It does not run before you approved it.

Values of --env and --header can be placeholders, ${env:NAME} and ${keyring:NAME},
which keep the secret out of the file.`,
		Example: `  mcpproxy upstream add files -- npx -y @modelcontextprotocol/server-filesystem ~/notes
  mcpproxy upstream add git --working-dir ~/src/project -- npx @modelcontextprotocol/server-git
  mcpproxy upstream add docs --url https://example.com/mcp --header 'Authorization: Bearer ${env:TOKEN}'`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			add, err := f.change(cmd, args)
			if err != nil {
				return err
			}
			return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				s, err := c.AddServer(ctx, add)
				if err != nil {
					return err
				}
				return f.print(cmd, s, func(w io.Writer) {
					fmt.Fprint(w, indent("", fmt.Sprintf("Added %s: %s", s.Name, s.State)))
					if s.Fault != "" {
						fmt.Fprint(w, indent("", "But: "+s.Fault))
					}
					if s.Hint != "" {
						fmt.Fprint(w, indent("", "Next: "+g.here(s.Hint)))
					}
				})
			})
		},
	}
	f.register(cmd)
	f.flag(cmd)
	return cmd
}

func (f *upstreamAddFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.url, "url", "", "URL of a remote server")
	flags.StringVar(&f.protocol, "protocol", "", "stdio, http or sse, where the default is wrong")
	flags.StringArrayVar(&f.env, "env", nil, "NAME=VALUE for the command; may be repeated")
	flags.StringArrayVar(&f.headers, "header", nil, "'Name: value' for the URL; may be repeated")
	flags.StringVar(&f.workingDir, "working-dir", "", "`folder` in which the command runs; ~ and placeholders are expanded at its start")
	flags.BoolVar(&f.disabled, "disabled", false, "add it switched off")
}

// change returns the server that the command line describes.
func (f *upstreamAddFlags) change(cmd *cobra.Command, args []string) (client.ServerChange, error) {
	var add client.ServerChange
	switch dash := cmd.ArgsLenAtDash(); {
	case len(args) == 0, dash == 0:
		return add, usage(cmd, "NAME is missing")
	case dash > 1:
		return add, usage(cmd, "before -- stands NAME alone, one with spaces in quotes: %s", hint.Shell(strings.Join(args[:dash], " ")))
	case f.url == "" && len(args) == 2 && strings.Contains(args[1], "://"):
		return add, usage(cmd, "%s is no command: write --url %s", args[1], args[1])
	case f.url == "" && len(args) == 1:
		return add, usage(cmd, "a command behind -- or --url is missing")
	case f.url != "" && len(args) > 1:
		return add, usage(cmd, "a server has either a command or a --url")
	case f.url != "" && len(f.env) > 0:
		return add, usage(cmd, "--env is for a command; a --url has --header")
	case f.url == "" && len(f.headers) > 0:
		return add, usage(cmd, "--header is for a --url; a command has --env")
	}
	on := !f.disabled
	add.Name, add.Enabled = &args[0], &on
	if f.url != "" {
		add.URL = &f.url
	} else {
		rest := args[2:]
		add.Command, add.Args = &args[1], &rest
	}
	if f.workingDir != "" {
		dir, err := folder(f.workingDir)
		if err != nil {
			return add, err
		}
		add.WorkingDir = &dir
	}
	if f.protocol != "" {
		add.Protocol = &f.protocol
	}
	var err error
	if add.Env, err = assignments(cmd, "env", f.env, "="); err != nil {
		return add, err
	}
	add.Headers, err = assignments(cmd, "header", f.headers, ":")
	return add, err
}

// folder is a path as the configuration can hold it: seen from here, unless it
// begins in the home directory or with a placeholder.
func folder(path string) (string, error) {
	if strings.HasPrefix(path, "~") || strings.HasPrefix(path, "${") {
		return path, nil
	}
	return filepath.Abs(path)
}

// assignments splits repeated flags. The error does not show the value.
func assignments(cmd *cobra.Command, flag string, given []string, separator string) (*map[string]string, error) {
	if len(given) == 0 {
		return nil, nil
	}
	m := map[string]string{}
	for _, text := range given {
		name, value, ok := strings.Cut(text, separator)
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, usage(cmd, "--%s must be NAME%sVALUE", flag, separator)
		}
		if separator == ":" {
			value = strings.TrimSpace(value)
		}
		m[name] = value
	}
	return &m, nil
}
