package client

import "time"

// Loss says that the record of approvals was damaged or gone, so that every
// server waits for a person.
type Loss struct {
	Time   time.Time `json:"time"`
	Reason string    `json:"reason"`
	Kept   string    `json:"kept,omitempty"`   // the damaged file
	Backup *Backup   `json:"backup,omitempty"` // the copy that quarantine restore brings back; nil: there is none
}

// Backup is a checked copy of the approvals.
type Backup struct {
	Time    time.Time `json:"time"`
	Records int       `json:"records"`
}
