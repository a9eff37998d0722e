package api

// Route is one row of the router, for whoever documents or tries all of them.
type Route struct {
	Method, Pattern string // as in net/http's patterns
	NeedsKey        bool   // over TCP
}

// Routes returns the whole router.
func Routes() []Route {
	list := make([]Route, 0, len(routes))
	for _, r := range routes {
		list = append(list, Route{Method: r.method, Pattern: r.pattern, NeedsKey: r.access == person || r.access == keyHolder})
	}
	return list
}
