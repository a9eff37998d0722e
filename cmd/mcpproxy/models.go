package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"mcpproxy/cmd/mcpproxy/internal/app"
	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/hint"
)

func newModelsCommand(g *global) *cobra.Command {
	return group("models", "Sentence models of the search",
		`Search works with the sentence model that is part of this program. You can add your
own from a folder; nothing is ever downloaded. The choice is "model" in the
configuration, and "none" there, as with "models use none", leaves search with the
words of a query alone.`,
		newModelsListCommand(g), newModelsVerifyCommand(g), newModelsAddCommand(g), newModelsUseCommand(g), newModelsRemoveCommand(g))
}

func newModelsListCommand(g *global) *cobra.Command {
	return answering(g, &cobra.Command{
		Use:     "list",
		Short:   "Show the models",
		Long:    "Show the bundled model and your own: which one the configuration chooses and which one serves.",
		Example: "  mcpproxy models list\n  mcpproxy models list -o json",
		Args:    wants(),
	}, func(ctx context.Context, c *client.Client, _ []string) ([]client.Model, error) {
		return c.Models(ctx)
	}, printModels)
}

func printModels(w io.Writer, list []client.Model) {
	cells := make([][]string, 0, len(list))
	for _, m := range list {
		state := ""
		switch {
		case m.Error != "":
			state = m.Error
		case m.InService:
			state = "in service"
		case m.Chosen:
			state = "chosen"
		}
		dim, size := strconv.Itoa(m.Dim), megabytes(m.Bytes)
		if isNone(m) {
			dim, size = "", ""
		}
		cells = append(cells, []string{m.Name, origin(m), dim, size, state})
	}
	rows(w, []string{"MODEL", "ORIGIN", "DIMENSIONS", "SIZE", "STATE"}, cells)
}

func origin(m client.Model) string {
	switch {
	case m.Bundled:
		return "bundled"
	case isNone(m):
		return "words alone"
	}
	return "own"
}

// isNone reports whether m stands for no model, which cannot be the name of one.
func isNone(m client.Model) bool { return m.Name == "none" }

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func newModelsVerifyCommand(g *global) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "verify [NAME]",
		Short: "Compare a model's files with their digests",
		Long: `Read every file of one model, or of all, and compare it with the digest that was
noted when the model was added. The same happens before each load.`,
		Example:           "  mcpproxy models verify\n  mcpproxy models verify minilm -o json",
		Args:              atMostOne,
		ValidArgsFunction: completeModels(g),
		RunE: func(cmd *cobra.Command, args []string) error {
			opt, err := g.options(cmd)
			if err != nil {
				return err
			}
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			list, err := app.VerifyModels(opt, name)
			if err != nil {
				return err
			}
			if err := o.print(cmd, list, func(w io.Writer) { printVerified(w, list) }); err != nil {
				return err
			}
			for _, m := range list {
				if m.Error != "" {
					return fmt.Errorf("model %q must not be used: %s\nhint: remove it and add it anew", m.Name, m.Error)
				}
			}
			return nil
		},
	}
	o.flag(cmd)
	return cmd
}

func printVerified(w io.Writer, list []client.Model) {
	cells := make([][]string, 0, len(list))
	for _, m := range list {
		state := "verified"
		if m.Error != "" {
			state = m.Error
		}
		cells = append(cells, []string{m.Name, origin(m), state})
	}
	rows(w, []string{"MODEL", "ORIGIN", "STATE"}, cells)
}

func newModelsAddCommand(g *global) *cobra.Command {
	var from string
	var o output
	cmd := &cobra.Command{
		Use:   "add NAME --from DIR",
		Short: "Add a model of your own",
		Long: `Copy a sentence model into the data directory, note the digests of its files, and
measure it. The folder has the Hugging Face layout: model.onnx (or onnx/model.onnx),
tokenizer.json and config.json. Its first output is one vector a text, or one a
token, of which the mean is taken. Nothing changes until you use it.`,
		Example: `  mcpproxy models add minilm --from ~/Downloads/all-MiniLM-L6-v2
  mcpproxy models use minilm`,
		Args: wants("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if from == "" {
				return usage(cmd, "--from is missing")
			}
			opt, err := g.options(cmd)
			if err != nil {
				return err
			}
			tools := 0
			if err := g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				st, err := c.Status(ctx)
				tools = st.Index.Tools
				return err
			}); err != nil {
				return err
			}
			added, err := app.AddModel(cmd.Context(), opt, args[0], from)
			if err != nil {
				return err
			}
			added.Tools, added.ReindexSeconds = tools, float64(tools)/added.ToolsPerSecond
			return o.print(cmd, added, func(w io.Writer) { g.printAdded(w, added) })
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "`folder` of the model (required)")
	o.flag(cmd)
	return cmd
}

func (g *global) printAdded(w io.Writer, m client.AddedModel) {
	fmt.Fprintf(w, "Added %s: %d dimensions, %s\n\n", escape.Line(m.Name), m.Dim, megabytes(m.Bytes))
	pairs(w,
		"one query", fmt.Sprintf("%.2f ms", m.QueryMS),
		"tools per second", fmt.Sprintf("%.0f", m.ToolsPerSecond),
		"index of "+plural(m.Tools, "tool"), fmt.Sprintf("%.1f s in the background", m.ReindexSeconds),
		"digest", m.Digest)
	fmt.Fprintf(w, "\nNext: %s\n", escape.Line(g.here(hint.Command("models", "use", m.Name))))
}

func newModelsUseCommand(g *global) *cobra.Command {
	return answering(g, &cobra.Command{
		Use:   "use NAME",
		Short: "Choose the model of the search",
		Long: `Verify a model and write its name to the configuration, as "model"; "default" is the
bundled one. A running instance makes the new vectors in the background, and the
old ones serve until then.

"none" uses no model, from the next start on, which saves about 50 MB of memory:
search compares words alone (BM25) and no longer finds a tool that says the same
in other words.`,
		Example:           "  mcpproxy models use minilm\n  mcpproxy models use default\n  mcpproxy models use none",
		Args:              wants("NAME"),
		ValidArgsFunction: completeModels(g),
	}, func(ctx context.Context, c *client.Client, args []string) (client.Model, error) {
		return c.UseModel(ctx, args[0])
	}, func(w io.Writer, m client.Model) {
		if isNone(m) {
			g.printNone(w, m)
			return
		}
		fmt.Fprintf(w, "Search uses %s (%s).\n", escape.Line(m.Name), origin(m))
		if !m.InService {
			fmt.Fprintln(w, "New vectors are made in the background:", g.here("mcpproxy index status"))
		}
	})
}

// printNone says what becomes of search, and the way back.
func (g *global) printNone(w io.Writer, m client.Model) {
	when := "Search goes by words alone now"
	if !m.InService {
		when = "Search goes by words alone from the next start on"
	}
	fmt.Fprintf(w, "%s: a tool is found by the words that it shares with the query, no longer by\ntheir meaning. In the configuration this is \"model\": \"none\". Back: %s\n", when, g.here("mcpproxy models use default"))
}

func newModelsRemoveCommand(g *global) *cobra.Command {
	return answering(g, &cobra.Command{
		Use:               "remove NAME",
		Short:             "Delete a model of your own",
		Long:              "Delete the copy of a model of your own. The one in use is not removed.",
		Example:           "  mcpproxy models remove minilm",
		Args:              wants("NAME"),
		ValidArgsFunction: completeModels(g),
	}, func(ctx context.Context, c *client.Client, args []string) (map[string]string, error) {
		return map[string]string{"removed": args[0]}, c.RemoveModel(ctx, args[0])
	}, func(w io.Writer, done map[string]string) {
		fmt.Fprintf(w, "Removed %s\n", escape.Line(done["removed"]))
	})
}

// completeModels completes the first argument with the models' names.
func completeModels(g *global) cobra.CompletionFunc {
	return completing(g, func(ctx context.Context, c *client.Client) (names []string, err error) {
		list, err := c.Models(ctx)
		for _, m := range list {
			names = append(names, m.Name)
		}
		return names, err
	})
}
