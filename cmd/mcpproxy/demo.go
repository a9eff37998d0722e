package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"mcpproxy/cmd/mcpproxy/internal/app"
	"mcpproxy/cmd/mcpproxy/internal/example"
	"mcpproxy/internal/mcpclient"
)

func newDemoCommand() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the proxy at work on the example servers",
		Long: `Start the proxy with the example servers that are part of this program, run
three searches and one call against the live endpoint, and serve until Ctrl-C.

Everything lives in a temporary directory that is removed at the end; your own
configuration is neither read nor changed.`,
		Example: "  mcpproxy demo\n  mcpproxy demo --listen 127.0.0.1:9000",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd.Context(), cmd.OutOrStdout(), listen)
		},
	}
	cmd.Flags().StringVarP(&listen, "listen", "l", ":8080", "listen address; a free port is taken if it is in use")
	return cmd
}

func runDemo(ctx context.Context, out io.Writer, listen string) error {
	dir, err := os.MkdirTemp("", "mcpproxy-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path, err := writeDemoConfig(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "mcpproxy %s: %d example servers behind one endpoint\n", version, len(example.Names()))
	for _, addr := range []string{listen, ":0"} {
		err = serveDemo(ctx, out, app.Options{ConfigPath: path, DataDir: dir, Listen: addr, Version: version, LogLevel: "warn", Stderr: os.Stderr})
		if !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
		fmt.Fprintf(out, "%s is in use, taking a free port\n", addr)
	}
	return err
}

// writeDemoConfig writes a file with every example server, trusted at first
// sight because they are this very program.
func writeDemoConfig(dir string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	notes := filepath.Join(dir, "files")
	if err := os.MkdirAll(notes, 0o700); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(notes, "welcome.txt"), []byte("Hello from the files server.\n"), 0o600); err != nil {
		return "", err
	}
	servers := map[string]any{}
	for _, name := range example.Names() {
		servers[name] = map[string]any{"command": self, "args": []string{"example", name}, "working_dir": notes, "quarantined": false}
	}
	data, err := json.MarshalIndent(map[string]any{"enable_tray": false, "mcpServers": servers}, "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "mcp_config.json")
	return path, os.WriteFile(path, data, 0o600)
}

// serveDemo serves until ctx ends or the demonstration fails.
func serveDemo(ctx context.Context, out io.Writer, opt app.Options) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	err := app.Serve(ctx, opt, func(r app.Ready) {
		go func() {
			if failed := showDemo(ctx, out, r.Endpoint); failed != nil && ctx.Err() == nil {
				stop(failed)
			}
		}()
	})
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}

// showDemo is an agent's first minute: search in plain words, then call.
func showDemo(ctx context.Context, out io.Writer, endpoint string) error {
	begin := time.Now()
	s, err := mcpclient.Open(ctx, endpoint)
	if err != nil {
		return err
	}
	if err := waitForTools(ctx, s); err != nil {
		return err
	}
	fmt.Fprintf(out, "all example servers are up after %d ms\n", time.Since(begin).Milliseconds())
	for _, query := range []string{"what time is it in Tokyo", "write down something to remember", "how many miles are 42 kilometres"} {
		if err := showSearch(ctx, out, s, query); err != nil {
			return err
		}
	}
	if err := showCall(ctx, out, s); err != nil {
		return err
	}
	fmt.Fprintf(out, `
Connect your agent (Cursor, VS Code, Claude ...) with this entry:

  "mcpproxy": { "type": "http", "url": %q }

Serving at %s - Ctrl-C stops.
`, endpoint, endpoint)
	return nil
}

type demoHit struct {
	ID          string  `json:"id"`
	Description string  `json:"description"`
	CallWith    string  `json:"call_with"`
	Score       float64 `json:"score"`
}

func demoSearch(ctx context.Context, s *mcpclient.Session, args map[string]any) ([]demoHit, error) {
	raw, err := s.Call(ctx, "retrieve_tools", args)
	if err != nil {
		return nil, err
	}
	var result struct {
		Structured struct {
			Tools []demoHit `json:"tools"`
		} `json:"structuredContent"`
	}
	return result.Structured.Tools, json.Unmarshal(raw, &result)
}

// waitForTools returns once every example server is searchable.
func waitForTools(ctx context.Context, s *mcpclient.Session) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for _, name := range example.Names() {
		for {
			hits, err := demoSearch(ctx, s, map[string]any{"query": name, "server": name, "limit": 1, "detail": "names"})
			if err == nil && len(hits) > 0 {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("example server %q did not come up: %w", name, ctx.Err())
			case <-tick.C:
			}
		}
	}
	return nil
}

func showSearch(ctx context.Context, out io.Writer, s *mcpclient.Session, query string) error {
	begin := time.Now()
	hits, err := demoSearch(ctx, s, map[string]any{"query": query, "limit": 3})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nretrieve_tools %q  (%.1f ms)\n", query, float64(time.Since(begin).Microseconds())/1000)
	for _, h := range hits {
		fmt.Fprintf(out, "  %.2f  %-24s %s\n", h.Score, h.ID, firstWords(h.Description, 80))
	}
	return nil
}

// firstWords cuts text at a word so that it has at most limit characters.
func firstWords(text string, limit int) string {
	r := []rune(text)
	if len(r) <= limit {
		return text
	}
	cut := string(r[:limit-3])
	if i := strings.LastIndexByte(cut, ' '); i > 0 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " .,:;") + "..."
}

func showCall(ctx context.Context, out io.Writer, s *mcpclient.Session) error {
	id, args := "units:convert_units", map[string]any{"value": 42, "from": "km", "to": "mile"}
	begin := time.Now()
	raw, err := s.Call(ctx, "call_tool_read", map[string]any{"id": id, "arguments": args})
	if err != nil {
		return err
	}
	shown, _ := json.Marshal(args)
	fmt.Fprintf(out, "\ncall_tool_read %s %s  (%.1f ms)\n  %s\n", id, shown, float64(time.Since(begin).Microseconds())/1000, mcpclient.Text(raw))
	return nil
}
