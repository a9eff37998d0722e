package proxy

import (
	"context"
	"encoding/json"
	"fmt"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
)

const securityTool = "quarantine_security"

// waitingRow is a server with something to review, as an agent may know it: its
// configured name and numbers, nothing of what is held.
type waitingRow struct {
	Server string `json:"server"`
	State  string `json:"state"` // held, or ready with tools that wait
	Tools  int    `json:"tools_waiting"`
	Says   string `json:"says"`
}

// security answers quarantine_security. It reads only: held text is for a
// person's eyes, and an agent that saw it would already have been reached.
func (p *Proxy) security(ctx context.Context, q request) json.RawMessage {
	operation, name, err := readSecurity(q.args)
	if err != nil {
		return failure(securityTool+": "+err.Error(), `it takes {"operation":"list"} or {"operation":"inspect","name":"SERVER"}`)
	}
	list, err := p.opt.Servers.ListServers(ctx)
	if err != nil {
		return failure(securityTool+": "+plainText(err.Error(), maxErrorText), "")
	}
	var rows []waitingRow
	for _, s := range list {
		if waits(s) && (operation == "list" || s.Name == name) {
			rows = append(rows, waitingRow{s.Name, s.State, s.HeldTools, says(s)})
		}
	}
	if operation == "inspect" {
		return inspectAnswer(name, rows)
	}
	answer := struct {
		Waiting []waitingRow `json:"waiting"`
		Note    string       `json:"note"`
	}{rows, "Nothing waits for review."}
	if len(rows) > 0 {
		answer.Note = "Only the user can review and approve: ask them to run mcpproxy quarantine list."
	} else {
		answer.Waiting = []waitingRow{}
	}
	return structured(answer)
}

func readSecurity(args json.RawMessage) (operation, name string, err error) {
	list, err := members(args)
	if err != nil {
		return "", "", err
	}
	for _, m := range list {
		switch m.Key {
		case "operation":
			operation, err = readString(m)
		case "name":
			name, err = readString(m)
		default:
			err = fmt.Errorf("unknown argument %q", escape.Clip(m.Key, 50))
		}
		if err != nil {
			return "", "", err
		}
	}
	if operation != "list" && operation != "inspect" {
		return "", "", fmt.Errorf("no operation %q", escape.Clip(operation, 50))
	}
	return operation, name, nil
}

func waits(s client.Server) bool { return s.State == stateHeld || s.HeldTools > 0 }

// inspectAnswer names the command that shows the text to a person.
func inspectAnswer(name string, rows []waitingRow) json.RawMessage {
	if len(rows) == 0 {
		return failuref(`see {"operation":"list"}`, "Nothing of %q waits for review.", escape.Clip(name, 60))
	}
	return structured(struct {
		waitingRow
		Note string `json:"note"`
	}{rows[0], "What waits is shown to the user only. Ask them to run: " + suggested("quarantine", "inspect", rows[0].Server) +
		", and to approve what they have read with: " + suggested("quarantine", "approve", rows[0].Server)})
}
