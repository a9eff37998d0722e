package main

import "fmt"

// The words that tools are invented from; every (verb, noun) pair is one tool.
var (
	verbs = []string{"list", "get", "create", "update", "delete", "search", "export", "archive", "assign", "summarize", "convert", "schedule"}
	nouns = []string{
		"invoice", "absence", "deployment", "ticket", "calendar event", "contact", "repository", "pull request", "sensor reading",
		"flight", "recipe", "budget", "alert", "dashboard", "playlist", "shipment", "contract", "document", "photo", "comment",
		"branch", "container", "certificate", "payment", "subscription", "survey", "vehicle", "weather report", "translation",
		"customer", "lead", "meeting", "webhook", "backup", "database table", "metric", "incident", "experiment", "dataset",
		"campaign", "newsletter", "coupon", "product", "warehouse", "employee", "timesheet", "course", "exam", "route", "device",
	}
)

type stubTool struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	InputSchema map[string]any `json:"inputSchema"`
	Annotations map[string]any `json:"annotations"`
}

// inventTools returns the count tools of slice index, all of them read-only.
func inventTools(index, count int) []stubTool {
	tools := make([]stubTool, 0, count)
	for i := range count {
		tools = append(tools, inventTool(index*16+i))
	}
	return tools
}

func inventTool(i int) stubTool {
	verb, noun := verbs[i%len(verbs)], nouns[(i/len(verbs)+i)%len(nouns)]
	return stubTool{
		Name:        fmt.Sprintf("%s_%s_%d", verb, underscored(noun), i),
		Description: fmt.Sprintf("Use this to %s one %s of the workspace, optionally limited to an owner and a period of days.", verb, noun),
		InputSchema: map[string]any{
			"type": "object",
			"properties": map[string]any{
				"owner": map[string]any{"type": "string", "description": "who the " + noun + " belongs to"},
				"days":  map[string]any{"type": "integer", "description": "how many days to look back", "minimum": 0},
			},
			"required": []string{"owner"},
		},
		Annotations: map[string]any{"readOnlyHint": true},
	}
}

// query asks for tool i in words of its own.
func query(i int) string {
	t := inventTool(i)
	return "please " + t.Description[len("Use this to "):len("Use this to ")+24] + " for Maria over the last week"
}

func underscored(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] == ' ' {
			b[i] = '_'
		}
	}
	return string(b)
}
