package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
)

func newIndexCommand(g *global) *cobra.Command {
	return group("index", "The search index", "Look at, rebuild and measure the search index.",
		newIndexStatusCommand(g), newIndexRebuildCommand(g), newIndexEvalCommand())
}

func newIndexStatusCommand(g *global) *cobra.Command {
	return answering(g, &cobra.Command{
		Use:     "status",
		Short:   "Describe the search index",
		Long:    "Say how many tools are searchable, of which servers, and with what.",
		Example: "  mcpproxy index status\n  mcpproxy index status -o json",
		Args:    wants(),
	}, func(ctx context.Context, c *client.Client, _ []string) (client.Index, error) {
		return c.Index(ctx)
	}, printIndex)
}

func printIndex(w io.Writer, ix client.Index) {
	model := ix.Model
	if model == "" {
		model = "none is loaded, search is BM25 only"
	}
	pairs(w,
		"tools", strconv.Itoa(ix.Tools),
		"servers", strconv.Itoa(len(ix.Servers)),
		"vectors", vectorsOf(ix),
		"model", model,
		"next model", ix.NextModel,
		"model error", ix.ModelError,
		"format", strconv.Itoa(ix.Format),
		"rebuilt", ix.Rebuilt,
		"build time", fmt.Sprintf("%.1f ms", ix.BuildMS),
		"searches", strconv.FormatUint(ix.Searches, 10))
}

// vectorsOf is how many there are and, while some are being made, how far that
// is.
func vectorsOf(ix client.Index) string {
	if ix.NextModel == "" && ix.VectorsMade <= ix.Vectors {
		return strconv.Itoa(ix.Vectors)
	}
	return fmt.Sprintf("%d in use, %d of %d made", ix.Vectors, ix.VectorsMade, ix.Tools)
}

func newIndexRebuildCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Make the search index anew",
		Long: `Make the search index anew from the catalogue of approved tools. Searches of a
running instance go on meanwhile.`,
		Example: "  mcpproxy index rebuild",
		Args:    wants(),
	}
	return answering(g, cmd, func(ctx context.Context, c *client.Client, _ []string) (client.Index, error) {
		return c.Rebuild(ctx, progress(cmd.ErrOrStderr(), "steps (the words of every tool, then its meaning)"))
	}, printIndex)
}

// progress shows a bar on a terminal, else a plain line for every tenth.
func progress(w io.Writer, what string) func(done, total int) {
	if isTerminal(w) {
		var bar *progressbar.ProgressBar
		return func(done, total int) {
			if bar == nil {
				bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
					progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
			}
			_ = bar.Set(done)
		}
	}
	tenth := -1
	return func(done, total int) {
		if now := done * 10 / max(total, 1); now > tenth {
			tenth = now
			fmt.Fprintf(w, "%d of %d %s\n", done, total, what)
		}
	}
}
