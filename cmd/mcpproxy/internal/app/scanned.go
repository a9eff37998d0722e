package app

import (
	"context"
	"encoding/json"

	"mcpproxy/internal/client"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine/scan"
)

// Scanned scans what the server has in quarantine, each beside the others.
func (a *App) Scanned(ctx context.Context, server string) ([]client.Scanned, error) {
	s, err := a.configured(server)
	if err != nil {
		return nil, err
	}
	page, err := a.page(s)
	if err != nil {
		return nil, err
	}
	peers := make([]tool.Tool, 0, len(page.Tools))
	for _, r := range page.Tools {
		peers = append(peers, r.Tool)
	}
	list := make([]client.Scanned, 0, len(peers))
	for _, t := range peers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		report, err := json.Marshal(scan.Tool(t, peers))
		if err != nil {
			return nil, err
		}
		list = append(list, client.Scanned{ID: definitionDTO(t, "", t.Hash()).ID, Report: report})
	}
	return list, nil
}
