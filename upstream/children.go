package upstream

// Children is the durable record of the stdio children of this instance.
type Children struct{}
