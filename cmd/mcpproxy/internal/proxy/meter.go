package proxy

import (
	"encoding/json"
	"time"
)

// Meter counts what the record of calls does not have. It must not block.
type Meter interface {
	Listed()                                // an agent asked for the menu
	Searched(took time.Duration, bytes int) // retrieve_tools answered so many bytes
	Truncated()                             // an answer was cut to the limit
}

type noMeter struct{}

func (noMeter) Listed()                     {}
func (noMeter) Searched(time.Duration, int) {}
func (noMeter) Truncated()                  {}

// MenuSize is how many bytes of definitions an agent gets instead of all tools.
func (p *Proxy) MenuSize() int {
	n := 0
	for _, t := range p.menu {
		if t.Name == managementTool && p.opt.Policy().DisableManagement {
			continue
		}
		text, err := json.Marshal(t.Tool)
		if err == nil {
			n += len(text)
		}
	}
	return n
}
