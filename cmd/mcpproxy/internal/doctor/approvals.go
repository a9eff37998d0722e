package doctor

import (
	"time"

	"mcpproxy/internal/client"
)

// approvals tells whether the record of them was lost.
func approvals(l *client.Loss) []Finding {
	if l == nil {
		return nil
	}
	fix := "there is no copy: mcpproxy quarantine list, and approve anew what you know"
	if l.Backup != nil {
		fix = "stop mcpproxy serve, then bring the copy of " + l.Backup.Time.Local().Format(time.DateTime) + " back: mcpproxy quarantine restore"
	}
	return []Finding{{"approvals.lost", Error, "approvals", "they were lost at " + l.Time.Local().Format(time.DateTime) + ": " + l.Reason, fix}}
}
