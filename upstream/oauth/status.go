package oauth

import (
	"maps"
	"slices"
	"time"
)

// Status is where the login of one server stands.
type Status struct {
	Server    string
	State     State
	Issuer    string // of the login, empty if none
	Scope     string
	Expires   time.Time // of the access token; zero: unknown
	Renewable bool      // it is refreshed by itself
	Redirect  string    // to register at an authorization server by hand; empty before the first login
	Kept      bool      // survives a restart
	URL       string    // of a login that waits for the person
}

// State is where a login stands.
type State string

// The states of a login.
const (
	None    State = "none"           // there was none
	Valid   State = "logged in"      //
	Needed  State = "login needed"   // the server refuses what there is
	Waiting State = "waits for you"  // in the browser
	Stale   State = "refresh failed" // expired, tried again at the next request
)

// Status describes the login of every server, sorted by name.
func (k *Keeper) Status() []Status {
	all := *k.accounts.Load()
	list := make([]Status, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[name].status())
	}
	return list
}

func (a *account) status() Status {
	a.load()
	a.mu.Lock()
	defer a.mu.Unlock()
	st := Status{Server: a.server().Name, State: None}
	if l := a.login(); l != nil {
		st.Issuer = a.record.Issuer
		if l.Client != nil {
			st.Redirect = l.Client.Redirect
		}
	}
	t := a.current.Load()
	switch {
	case t != nil:
		st.State, st.Scope, st.Expires, st.Renewable, st.Kept = Valid, t.Scope, t.Expires, t.Refresh != "", a.kept
		switch {
		case a.rejected == t.Access, t.expired() && t.Refresh == "":
			st.State = Needed
		case t.expired() && a.failures > 0:
			st.State = Stale
		}
	case a.asked:
		st.State = Needed
	}
	if f := a.flow; f != nil && isClosed(f.ready) {
		st.State, st.URL = Waiting, f.prompt.URL
	}
	return st
}
