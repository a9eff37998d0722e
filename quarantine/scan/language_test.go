package scan

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestTool_Languages measures orders in other languages than English, on texts that
// nothing was made from.
func TestTool_Languages(t *testing.T) {
	t.Parallel()
	found, passed := map[string]*rate{}, map[string]*rate{}
	for _, r := range written(t, "languages.txt") {
		language, kind, _ := strings.Cut(r.Technique, " ")
		report := Tool(r.tool(t), nil)
		to, hit := found, flagged(report)
		if kind == "honest" {
			to, hit = passed, !flagged(report)
		}
		if to[language] == nil {
			to[language] = &rate{}
		}
		to[language].of++
		if hit {
			to[language].hits++
		} else if os.Getenv("MCPPROXY_SCAN_SHOW") != "" {
			t.Logf("%s %s %.2f %s %v", language, kind, report.Score, r.Description, brief(report))
		}
	}
	var line []string
	var all, honest rate
	for _, language := range slices.Sorted(maps.Keys(found)) {
		f, p := *found[language], *passed[language]
		line = append(line, fmt.Sprintf("%s %d/%d", language, f.hits, f.of))
		all = rate{all.hits + f.hits, all.of + f.of}
		honest = rate{honest.hits + p.hits, honest.of + p.of}
	}
	t.Logf("other languages: attacks %s; %s; honest ones passed %d of %d", all, strings.Join(line, ", "), honest.hits, honest.of)
	if all.share() < .80 || honest.share() < .90 {
		t.Error("worse than docs/security.md says")
	}
}
