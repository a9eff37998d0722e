package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mcpproxy/internal/audit"
	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/quarantine"
	"mcpproxy/upstream/oauth"
)

func newAuditCommand(g *global) *cobra.Command {
	return group("audit", "What happened: calls, approvals, holds, changes of the configuration",
		`The record of everything that passed: each call with its server, tool, outcome, time
and sizes, each approval and block with the surface it came through, each definition
that was held, each change of the configuration. What tools were called with is not
kept unless the configuration says "audit_arguments": true.

The record lies in the audit folder of the data directory. It is kept for
"audit_max_days" (90) and up to "audit_max_mb" (100).`,
		newAuditListCommand(g), newAuditWatchCommand(g), newAuditExportCommand(g))
}

// auditKinds are all that an entry can be about.
var auditKinds = []string{audit.Call, audit.Config, audit.Secret, audit.Restored, audit.Lost,
	quarantine.EventApproved, quarantine.EventHeld, quarantine.EventChanged, quarantine.EventApplied, quarantine.EventReverted,
	quarantine.EventFlapping, quarantine.EventTrusted, quarantine.EventAuto, quarantine.EventBlocked, quarantine.EventUnblocked,
	quarantine.EventForgotten, oauth.LoggedIn, oauth.LoggedOut, oauth.LoginNeeded, oauth.LoginFailed, oauth.IssuerChanged}

// auditFlags choose entries.
type auditFlags struct {
	filter client.AuditFilter
	since  string
}

func (f *auditFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.filter.Server, "server", "", "only of this `server`")
	cmd.Flags().StringVar(&f.filter.Tool, "tool", "", "only of this `tool`, without its server")
	cmd.Flags().StringVar(&f.filter.What, "what", "", "only one `kind`: call, approved, held, changed, blocked, config, login ...")
	cmd.Flags().StringVar(&f.filter.Outcome, "outcome", "", "only calls with this `outcome`: ok, failed, cancelled, refused or unsent")
	cmd.Flags().StringVar(&f.since, "since", "", "only from a `time` on: 2h, 2026-01-31 or 2026-01-31T12:00:00Z")
}

// read checks the filter, and turns --since into a time.
func (f *auditFlags) read(cmd *cobra.Command) error {
	outcomes := []string{"", audit.OK, audit.Failed, audit.Cancelled, audit.Refused, audit.Unsent}
	if !slices.Contains(outcomes, f.filter.Outcome) {
		return usage(cmd, "--outcome must be one of %s, not %q", strings.Join(outcomes[1:], ", "), f.filter.Outcome)
	}
	if f.filter.What != "" && !slices.Contains(auditKinds, f.filter.What) {
		return usage(cmd, "--what must be one of %s, not %q", strings.Join(auditKinds, ", "), f.filter.What)
	}
	if f.since == "" {
		return nil
	}
	if ago, err := time.ParseDuration(f.since); err == nil && ago > 0 {
		f.filter.Since = time.Now().Add(-ago)
		return nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, f.since, time.Local); err == nil {
			f.filter.Since = t
			return nil
		}
	}
	return usage(cmd, "--since must be a duration such as 2h, or a time such as 2026-01-31T12:00:00Z, not %q", f.since)
}

func newAuditListCommand(g *global) *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "The newest entries, oldest of them first",
		Example: "  mcpproxy audit list\n  mcpproxy audit list --server github --outcome failed --since 24h\n  mcpproxy audit list --what approved -o json",
		Args:    wants(),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if f.filter.Limit < 1 {
				return usage(cmd, "--limit must be above zero")
			}
			return f.read(cmd)
		},
	}
	f.flags(cmd)
	cmd.Flags().IntVar(&f.filter.Limit, "limit", 50, "most entries to show")
	return answering(g, cmd, func(ctx context.Context, c *client.Client, _ []string) ([]client.AuditEntry, error) {
		return c.Audit(ctx, f.filter)
	}, printAudit)
}

func newAuditWatchCommand(g *global) *cobra.Command {
	var f auditFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "watch",
		Short:   "Print entries as they happen, until Ctrl-C",
		Example: "  mcpproxy audit watch\n  mcpproxy audit watch --what call --server github\n  mcpproxy audit watch --json | jq .tool",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.read(cmd); err != nil {
				return err
			}
			return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				return watchAudit(ctx, cmd.OutOrStdout(), c, f.filter, asJSON)
			})
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// watchPatience is how long one request waits for news; it only bounds how long
// an idle connection stays open.
const watchPatience = 30 * time.Second

func watchAudit(ctx context.Context, w io.Writer, c *client.Client, f client.AuditFilter, asJSON bool) error {
	if f.Since.IsZero() { // only what is new
		last, err := c.Audit(ctx, client.AuditFilter{Limit: 1})
		if err != nil {
			return err
		}
		if len(last) > 0 {
			f.After = last[0].Seq
		}
	}
	f.Wait = watchPatience
	for {
		entries, err := c.Audit(ctx, f)
		if err != nil {
			if ctx.Err() != nil {
				return nil // Ctrl-C is how it ends
			}
			return err
		}
		for _, e := range entries {
			f.After = e.Seq
			line := strings.Join(auditCells(e), "  ")
			if asJSON {
				data, err := json.Marshal(e)
				if err != nil {
					return err
				}
				line = string(escape.JSON(data))
			}
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
	}
}

func newAuditExportCommand(g *global) *cobra.Command {
	var f auditFlags
	var format string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Every entry, for another program",
		Long: `Write every entry that is kept to standard output, oldest first: one JSON object a
line (jsonl), or a table with a header (csv).`,
		Example: "  mcpproxy audit export > audit.jsonl\n  mcpproxy audit export --format csv --since 2026-01-01 > audit.csv",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			write := map[string]func(io.Writer, []client.AuditEntry) error{"jsonl": writeAuditLines, "csv": writeAuditTable}[format]
			if write == nil {
				return usage(cmd, "--format must be jsonl or csv, not %q", format)
			}
			if err := f.read(cmd); err != nil {
				return err
			}
			return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				entries, err := c.Audit(ctx, f.filter)
				if err != nil {
					return err
				}
				return write(cmd.OutOrStdout(), entries)
			})
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&format, "format", "jsonl", "`format`: jsonl or csv")
	return cmd
}

func writeAuditLines(w io.Writer, entries []client.AuditEntry) error {
	for _, e := range entries {
		data, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s\n", escape.JSON(data)); err != nil {
			return err
		}
	}
	return nil
}

func writeAuditTable(w io.Writer, entries []client.AuditEntry) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"seq", "time", "what", "actor", "server", "tool", "hash", "request", "session", "outcome", "duration_us", "sent_bytes", "received_bytes", "detail", "arguments"})
	for _, e := range entries {
		row := []string{strconv.FormatUint(e.Seq, 10), e.Time.Format(time.RFC3339Nano), e.What, e.Actor, e.Server, e.Tool, e.Hash, e.Request, e.Session, e.Outcome,
			strconv.FormatInt(e.Micros, 10), strconv.Itoa(e.Sent), strconv.Itoa(e.Received), e.Detail, string(e.Arguments)}
		for i := range row {
			row[i] = plainCell(row[i])
		}
		_ = out.Write(row)
	}
	out.Flush()
	return out.Error()
}
