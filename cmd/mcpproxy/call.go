package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mcpproxy/internal/client"
	"mcpproxy/internal/hint"
)

func newCallCommand(g *global) *cobra.Command {
	cmd := group("call", "Call a tool", "Call a tool of the proxy, or of a server behind it.", newCallToolCommand(g))
	unknown := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 && strings.Contains(args[0], ":") { // a tool, not a kind of thing to call
			return &usageError{message: fmt.Sprintf("call needs to know what %q is", args[0]), hint: "did you mean " + hint.Command("call", "tool", args[0]) + "?"}
		}
		return unknown(cmd, args)
	}
	return cmd
}

func newCallToolCommand(g *global) *cobra.Command {
	var tool, args string
	var o output
	cmd := &cobra.Command{
		Use:   "tool NAME [--json_args JSON]",
		Short: "Call one tool and print what it answers",
		Long: `Call one tool and print the text that it answers; -o json prints the whole result.

NAME is server:tool, or one of the proxy's own tools such as retrieve_tools and
upstream_servers. Calls pass the same checks as an agent's: what nobody approved
is not called. An answer that the tool marks as an error exits with 1.`,
		Example: `  mcpproxy call tool time:current_time --json_args '{"zone":"Asia/Tokyo"}'
  mcpproxy call tool --tool-name=upstream_servers --json_args='{"operation":"list"}'
  mcpproxy call tool --tool-name files:write --json_args - < arguments.json`,
		Args: atMostOne,
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := nameOnce(cmd, &tool, names); err != nil {
				return err
			}
			if tool == "" {
				return usage(cmd, "NAME is missing")
			}
			object, err := readArguments(cmd, args)
			if err != nil {
				return err
			}
			return g.connect(cmd, func(_ context.Context, c *client.Client) error {
				return callTool(cmd, c, tool, object, &o)
			})
		},
	}
	cmd.Flags().StringVar(&tool, "tool-name", "", "the same as NAME")
	cmd.Flags().StringVar(&args, "json_args", "{}", "the arguments as a JSON object; - reads them from stdin")
	cmd.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		switch name {
		case "json-args":
			name = "json_args"
		case "tool_name":
			name = "tool-name"
		}
		return pflag.NormalizedName(name)
	})
	o.flag(cmd)
	return cmd
}

func readArguments(cmd *cobra.Command, text string) (json.RawMessage, error) {
	data := []byte(text)
	if text == "-" {
		var err error
		if data, err = io.ReadAll(cmd.InOrStdin()); err != nil {
			return nil, err
		}
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil || object == nil {
		return nil, usage(cmd, "--json_args must be a JSON object such as '{\"path\":\"/tmp\"}'")
	}
	return data, nil
}

func callTool(cmd *cobra.Command, c *client.Client, tool string, args json.RawMessage, o *output) error {
	raw, err := c.CallTool(cmd.Context(), tool, args)
	if err != nil {
		return err
	}
	var result toolResult
	if err := json.Unmarshal(raw, &result); err != nil {
		return fmt.Errorf("tool %s: the answer is no result of a tool call: %w", tool, err)
	}
	if err := o.print(cmd, raw, func(w io.Writer) { result.write(w) }); err != nil {
		return err
	}
	if result.IsError {
		return fmt.Errorf("tool %s answered with an error", tool)
	}
	return nil
}

// toolResult is what is printed of a CallToolResult.
type toolResult struct {
	Content []struct {
		Type     string `json:"type"`
		Text     string `json:"text"`
		Data     string `json:"data"`
		MIMEType string `json:"mimeType"`
		URI      string `json:"uri"`
		Resource struct {
			URI  string `json:"uri"`
			Text string `json:"text"`
		} `json:"resource"`
	} `json:"content"`
	Structured json.RawMessage `json:"structuredContent"`
	IsError    bool            `json:"isError"`
}

// write prints text as text and names what is no text.
func (r *toolResult) write(w io.Writer) {
	for _, c := range r.Content {
		switch {
		case c.Type == "text":
			fmt.Fprint(w, indent("", c.Text))
		case c.Type == "resource" && c.Resource.Text != "":
			fmt.Fprint(w, indent("", c.Resource.Text))
		default:
			uri := c.URI + c.Resource.URI
			label := strings.Join(strings.Fields(c.Type+" "+c.MIMEType+" "+uri), " ")
			fmt.Fprint(w, indent("", fmt.Sprintf("[%s, %d characters; -o json shows it]", label, len(c.Data))))
		}
	}
	if len(r.Content) == 0 && len(r.Structured) > 0 {
		if data, err := marshal(r.Structured); err == nil {
			_, _ = w.Write(data)
		}
	}
}
