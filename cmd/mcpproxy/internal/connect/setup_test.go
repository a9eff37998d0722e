package connect

import (
	"os"
	"strings"
	"testing"
)

// docs/setup.md shows, for every client, what connect writes and where.
func TestSetupGuide_ShowsWhatConnectWrites(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../../../docs/setup.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, section := range strings.Split(string(guide), "\n## ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		sections[title] = body
	}
	for _, c := range Clients() {
		body, ok := sections[c.Title]
		if !ok {
			t.Errorf("no section %q", c.Title)
			continue
		}
		_, snippet, _ := strings.Cut(body, "\n```")
		_, snippet, _ = strings.Cut(snippet, "\n")
		snippet, _, _ = strings.Cut(snippet, "```")
		e := entry
		e.Command = "mcpproxy"
		text, err := c.format.put(nil, c.section, c.entry(e))
		if err != nil {
			t.Fatal(err)
		}
		if string(text) != snippet {
			t.Errorf("%s: the guide shows\n%s\nconnect writes\n%s", c.Title, snippet, text)
		}
		for _, goos := range []string{"linux", "darwin", "windows"} {
			path := c.Path(Places{GOOS: goos, Home: "~"})
			shown := strings.NewReplacer("~/AppData/Roaming/", `%APPDATA%\`).Replace(path)
			if strings.HasPrefix(shown, "%APPDATA%") {
				shown = strings.ReplaceAll(shown, "/", `\`)
			}
			if !strings.Contains(body, "`"+shown+"`") {
				t.Errorf("%s: the guide does not name %s (%s)", c.Title, shown, goos)
			}
		}
	}
}
