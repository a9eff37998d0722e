package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/hint"
)

func newStatusCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show on one screen what runs and what waits for you",
		Long: `Show the instance, its endpoint, the servers by state, what waits for your approval
and the search index. "mcpproxy doctor" says what to do where something is wrong.`,
		Example: "  mcpproxy status\n  mcpproxy status -o json",
		Args:    wants(),
	}
	return answering(g, cmd, func(ctx context.Context, c *client.Client, _ []string) (client.Status, error) {
		st, err := c.Status(ctx)
		if err == nil {
			g.alarmOf(cmd, st, "")
		}
		return st, err
	}, func(w io.Writer, st client.Status) { g.printStatus(w, st, time.Now()) })
}

func (g *global) printStatus(w io.Writer, st client.Status, now time.Time) {
	instance, endpoint := g.here("not running (start it: mcpproxy serve)"), ""
	if st.Running {
		instance = fmt.Sprintf("running for %s (version %s, pid %d)", age(now.Sub(st.StartedAt)), st.Version, st.PID)
		endpoint = st.Endpoint
	}
	pairs(w,
		"instance", instance,
		"endpoint", endpoint,
		"configuration", st.ConfigPath,
		"not in force", strings.ReplaceAll(st.ConfigError, "\n ", ";"),
		"servers", g.here(countStates(st.Servers)),
		"tools", g.here(toolsLine(st.Servers)),
		"search", searchLine(st))
	var notes [][]string
	for _, s := range st.Servers {
		switch {
		case s.State == "held":
			notes = append(notes, []string{s.Name, s.State, "nobody approved it as it is now", g.here(s.Hint)})
		case s.Error != "":
			notes = append(notes, []string{s.Name, s.State, sentence(s.Error, 90), g.here(s.Hint)})
		case s.HeldTools > 0:
			notes = append(notes, []string{s.Name, s.State, plural(s.HeldTools, "item") + " waiting", g.here(hint.Command("quarantine", "inspect", s.Name))})
		}
	}
	if len(notes) > 0 {
		fmt.Fprintln(w)
		rows(w, []string{"LOOK AT", "STATE", "WHY", "NEXT"}, notes)
	}
}

// countStates is "5: 3 ready, 1 held, 1 disabled", in the order of the file.
func countStates(servers []client.Server) string {
	if len(servers) == 0 {
		return "none (add one: mcpproxy upstream add NAME -- COMMAND)"
	}
	counts := map[string]int{}
	var order []string
	for _, s := range servers {
		if counts[s.State] == 0 {
			order = append(order, s.State)
		}
		counts[s.State]++
	}
	parts := make([]string, len(order))
	for i, state := range order {
		parts[i] = fmt.Sprintf("%d %s", counts[state], state)
	}
	return fmt.Sprintf("%d: %s", len(servers), strings.Join(parts, ", "))
}

func toolsLine(servers []client.Server) string {
	serving, waiting := 0, 0
	for _, s := range servers {
		serving += s.Tools
		waiting += s.HeldTools
	}
	line := fmt.Sprintf("%d approved", serving)
	if waiting > 0 {
		line += fmt.Sprintf(", %d waiting (mcpproxy quarantine list)", waiting)
	}
	return line
}

// searchLine does not say how search works where nothing runs that has a model
// at hand.
func searchLine(st client.Status) string {
	ix := st.Index
	if !st.Running {
		return plural(ix.Tools, "tool")
	}
	if ix.Model == "" {
		return fmt.Sprintf("%s by words alone, %d searches", plural(ix.Tools, "tool"), ix.Searches)
	}
	return fmt.Sprintf("%s by words and meaning (%s), %d searches", plural(ix.Tools, "tool"), escape.Line(ix.Model), ix.Searches)
}

// age is a duration in its two largest units.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}
