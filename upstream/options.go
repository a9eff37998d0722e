package upstream

import (
	"encoding/json"
	"maps"
	"runtime"
	"time"

	"go.uber.org/zap"
)

// Options of a [Pool]. The zero value works.
type Options struct {
	Dial    DialEnv
	Dialers map[string]Dialer // by transport; nil means DefaultDialers()
	Log     *zap.Logger       // nil means none
	Version string            // of this program, told to the servers
	Timing  Timing
	Calls   int // at once on one server, the rest wait; 0 means 32
	Starts  int // stdio children that may boot at once; 0 means 4 per CPU
	// Trace, if set, sees every frame of every connection: dir is "->" to the
	// server or "<-" from it. Frames hold arguments and results.
	Trace func(server, dir string, frame []byte)
	// Notify, if set, gets each notification that the pool does not consume
	// itself, such as notifications/message. It must not block.
	Notify func(server, method string, params json.RawMessage)
}

// Timing holds the intervals of a [Pool]. A zero field means its default.
type Timing struct {
	Start       time.Duration // one dial with initialize; 2 min
	List        time.Duration // one whole listing; 60 s
	Relist      time.Duration // between listings; 5 min
	RelistBusy  time.Duration // between listings while calls go to the server; 60 s
	RelistGap   time.Duration // least time between listings; 1 s
	RelistEarly time.Duration // of the second listing of a remote server; 2 s
	Retry       time.Duration // first back-off and least time between tries; 1 s
	RetryMax    time.Duration // longest back-off; 5 min
	Stable      time.Duration // ready for so long resets the back-off; 30 s
	Call        time.Duration // one call where Spec.Timeout is 0; 60 s
}

// maxCall is the longest that one call may take, progress or not.
const maxCall = 10 * time.Minute

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Dial.Log == nil {
		o.Dial.Log = o.Log
	}
	if o.Dialers == nil {
		o.Dialers = DefaultDialers()
	}
	o.Dialers = maps.Clone(o.Dialers)
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Calls <= 0 {
		o.Calls = 32
	}
	if o.Starts <= 0 {
		o.Starts = 4 * runtime.GOMAXPROCS(0)
	}
	o.Timing = o.Timing.withDefaults()
	return o
}

func (t Timing) withDefaults() Timing {
	set := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	set(&t.Start, 2*time.Minute)
	set(&t.List, time.Minute)
	set(&t.Relist, 5*time.Minute)
	set(&t.RelistBusy, time.Minute)
	set(&t.RelistGap, time.Second)
	set(&t.RelistEarly, 2*time.Second)
	set(&t.Retry, time.Second)
	set(&t.RetryMax, 5*time.Minute)
	set(&t.Stable, 30*time.Second)
	set(&t.Call, time.Minute)
	return t
}

// timeout is how long a call to s may take.
func (t Timing) timeout(s Spec) time.Duration {
	if s.Timeout <= 0 {
		return min(t.Call, maxCall)
	}
	return min(s.Timeout, maxCall)
}
