package api

import (
	"net/http"
	"strconv"
	"time"

	"mcpproxy/internal/client"
)

func (a *API) mcp(w http.ResponseWriter, r *http.Request) {
	w.Header().Del("Cache-Control") // the endpoint sets its own
	a.opt.MCP.ServeHTTP(w, r)
}

func (a *API) metrics(w http.ResponseWriter, r *http.Request) {
	if a.opt.Metrics == nil {
		a.answer(w, r, nil, &client.Error{Code: client.CodeUnavailable, Message: "nothing is measured"})
		return
	}
	a.opt.Metrics.ServeHTTP(w, r)
}

// health answers that the process is up, and proves that it has the key.
func (a *API) health(w http.ResponseWriter, r *http.Request) {
	h := client.Health{Status: "ok"}
	if challenge := r.URL.Query().Get("challenge"); challenge != "" && len(challenge) <= 64 && a.opt.Key != "" {
		h.Proof = client.Proof(a.opt.Key, challenge)
	}
	writeJSON(w, http.StatusOK, h)
}

// ready answers 503 with the servers that are still starting. Where /mcp needs
// the key, only who has it sees their names.
func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	var state client.Readiness
	state.Ready, state.Waiting = a.opt.Service.Ready()
	if a.opt.RequireKey() && visitorIn(r).who == stranger {
		state.Waiting = nil
	}
	status := http.StatusOK
	if !state.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, state)
}

func (a *API) status(r *http.Request) (client.Status, error) {
	return a.opt.Service.Status(r.Context())
}

func (a *API) shutdown(r *http.Request, _ nothing) (nothing, error) {
	return nothing{}, a.opt.Service.Shutdown(r.Context())
}

func (a *API) listServers(r *http.Request) ([]client.Server, error) {
	return a.opt.Service.ListServers(r.Context())
}

func (a *API) server(r *http.Request) (client.Server, error) {
	return a.opt.Service.Server(r.Context(), r.PathValue("name"))
}

func (a *API) addServer(r *http.Request, change client.ServerChange) (client.Server, error) {
	return a.opt.Service.AddServer(r.Context(), change)
}

func (a *API) updateServer(r *http.Request, change client.ServerChange) (client.Server, error) {
	return a.opt.Service.UpdateServer(r.Context(), r.PathValue("name"), change)
}

func (a *API) removeServer(r *http.Request) (nothing, error) {
	return nothing{}, a.opt.Service.RemoveServer(r.Context(), r.PathValue("name"))
}

func (a *API) restartServer(r *http.Request) (nothing, error) {
	return nothing{}, a.opt.Service.RestartServer(r.Context(), r.PathValue("name"))
}

func (a *API) listTools(w http.ResponseWriter, r *http.Request) {
	a.list(w, r, func(opt ListOptions) (client.Progress, error) {
		tools, err := a.opt.Service.ListTools(r.Context(), r.PathValue("name"), opt)
		return client.Progress{Tools: tools}, err
	})
}

func (a *API) inspect(w http.ResponseWriter, r *http.Request) {
	a.list(w, r, func(opt ListOptions) (client.Progress, error) {
		page, err := a.opt.Service.Inspect(r.Context(), r.PathValue("name"), opt)
		return client.Progress{Page: &page}, err
	})
}

// list streams the frames of a listing, if they were asked for, and its result.
func (a *API) list(w http.ResponseWriter, r *http.Request, do func(ListOptions) (client.Progress, error)) {
	s := &stream{api: a, w: w, r: r}
	opt, err := s.listOptions()
	if err != nil {
		s.end(client.Progress{}, err)
		return
	}
	s.end(do(opt))
}

func (s *stream) listOptions() (ListOptions, error) {
	var body client.ListRequest
	if err := read(s.r, &body); err != nil {
		return ListOptions{}, err
	}
	const most = 10 * time.Minute
	opt := ListOptions{Timeout: time.Duration(body.TimeoutMS) * time.Millisecond}
	if body.TimeoutMS < 0 || body.TimeoutMS > most.Milliseconds() {
		return opt, &client.Error{Code: client.CodeInvalid, Message: "timeout must be between 0 and 10 minutes"}
	}
	if body.Trace {
		opt.Trace = s.frame
	}
	return opt, nil
}

func (a *API) search(r *http.Request) (any, error) {
	limit, err := number(r, "limit", 0, 1000)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	if id := q.Get("expect"); id != "" {
		return a.opt.Service.Expect(r.Context(), q.Get("q"), q.Get("server"), id)
	}
	return a.opt.Service.Search(r.Context(), q.Get("q"), limit, q.Get("server"))
}

// callTool answers with the CallToolResult, byte for byte.
func (a *API) callTool(w http.ResponseWriter, r *http.Request) {
	var body client.CallRequest
	if err := read(r, &body); err != nil {
		a.answer(w, r, nil, err)
		return
	}
	raw, err := a.opt.Service.CallTool(r.Context(), body.Name, body.Arguments)
	if err != nil {
		a.answer(w, r, nil, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(raw)
}

func (a *API) index(r *http.Request) (client.Index, error) {
	return a.opt.Service.Index(r.Context())
}

func (a *API) rebuild(w http.ResponseWriter, r *http.Request) {
	s := &stream{api: a, w: w, r: r}
	v, err := a.opt.Service.Rebuild(r.Context(), func(done, total int) {
		s.send(client.Progress{Done: done, Total: total})
	})
	s.end(client.Progress{Index: &v}, err)
}

func (a *API) listModels(r *http.Request) ([]client.Model, error) {
	return a.opt.Service.Models(r.Context())
}

func (a *API) useModel(r *http.Request, body client.UseModelRequest) (client.Model, error) {
	return a.opt.Service.UseModel(r.Context(), body.Name)
}

func (a *API) removeModel(r *http.Request) (nothing, error) {
	return nothing{}, a.opt.Service.RemoveModel(r.Context(), r.PathValue("name"))
}

// number reads a query parameter between 0 and most.
func number(r *http.Request, name string, missing, most int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return missing, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, &client.Error{Code: client.CodeInvalid, Message: name + " must be a number from 0 to " + strconv.Itoa(most)}
	}
	return n, nil
}
