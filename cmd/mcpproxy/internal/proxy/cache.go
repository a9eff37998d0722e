package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"mcpproxy/internal/escape"
)

// readCache answers read_cache: one page of a kept answer, and a line that says
// where it lies in the whole.
func (p *Proxy) readCache(_ context.Context, q request) json.RawMessage {
	key, offset, count, err := readPage(q.args)
	if err != nil {
		return failure("read_cache: "+err.Error(), `give the key that the cut answer names: {"key":"...","offset":0}`)
	}
	doc, found := p.pages.get(key)
	if !found {
		return failure("read_cache: nothing is kept under this key; answers are forgotten 10 minutes after their last use.", "make the call again")
	}
	total := doc.total()
	if offset >= total {
		return failuref(fmt.Sprintf("use an offset below %d", total), "read_cache: offset %d is past the end; there are %d %s.", offset, total, doc.unit())
	}
	if count < 1 {
		count = total
	}
	budget := math.MaxInt
	if limit := p.limits().ResponseLimit; limit > 0 {
		budget = limit - 2*around - quotedLength(pageNote(doc, total, 0, total+1))
	}
	text, n := doc.slice(offset, count, budget)
	return textResult(text, pageNote(doc, offset, n, total))
}

// pageNote says where n units from offset on lie in the whole.
func pageNote(doc *document, offset, n, total int) string {
	where := fmt.Sprintf("%s %d to %d of %d", doc.unit(), offset, offset+n-1, total)
	if offset+n >= total && n <= total {
		return "[mcpproxy: " + where + "; this is the end]"
	}
	return fmt.Sprintf("[mcpproxy: %s. Next: read_cache with {\"key\":%q,\"offset\":%d}]", where, doc.key, offset+n)
}

func readPage(args json.RawMessage) (key string, offset, count int, err error) {
	list, err := members(args)
	if err != nil {
		return "", 0, 0, err
	}
	for _, m := range list {
		switch m.Key {
		case "key":
			key, err = readString(m)
		case "offset":
			offset, err = readInt(m)
		case "limit":
			count, err = readInt(m)
		default:
			err = fmt.Errorf("unknown argument %q", escape.Clip(m.Key, 50))
		}
		if err != nil {
			return "", 0, 0, err
		}
	}
	switch {
	case key == "":
		err = fmt.Errorf("key is missing")
	case offset < 0:
		err = fmt.Errorf("offset must not be negative")
	}
	return key, offset, count, err
}
