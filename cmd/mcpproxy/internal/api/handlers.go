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
		a.answer(w, r, nil, &client.Error{Code: "unavailable", Message: "nothing is measured"})
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
	if a.opt.RequireKey && visitorIn(r).who == stranger {
		state.Waiting = nil
	}
	status := http.StatusOK
	if !state.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, state)
}

func (a *API) status(w http.ResponseWriter, r *http.Request) {
	v, err := a.opt.Service.Status(r.Context())
	a.answer(w, r, v, err)
}

func (a *API) shutdown(w http.ResponseWriter, r *http.Request) {
	var none struct{}
	err := read(r, &none)
	if err == nil {
		err = a.opt.Service.Shutdown(r.Context())
	}
	a.answer(w, r, none, err)
}

func (a *API) listServers(w http.ResponseWriter, r *http.Request) {
	v, err := a.opt.Service.ListServers(r.Context())
	a.answer(w, r, v, err)
}

func (a *API) server(w http.ResponseWriter, r *http.Request) {
	v, err := a.opt.Service.Server(r.Context(), r.PathValue("name"))
	a.answer(w, r, v, err)
}

func (a *API) addServer(w http.ResponseWriter, r *http.Request) {
	var change client.ServerChange
	if err := read(r, &change); err != nil {
		a.answer(w, r, nil, err)
		return
	}
	v, err := a.opt.Service.AddServer(r.Context(), change)
	a.answer(w, r, v, err)
}

func (a *API) updateServer(w http.ResponseWriter, r *http.Request) {
	var change client.ServerChange
	if err := read(r, &change); err != nil {
		a.answer(w, r, nil, err)
		return
	}
	v, err := a.opt.Service.UpdateServer(r.Context(), r.PathValue("name"), change)
	a.answer(w, r, v, err)
}

func (a *API) removeServer(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, struct{}{}, a.opt.Service.RemoveServer(r.Context(), r.PathValue("name")))
}

func (a *API) restartServer(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, struct{}{}, a.opt.Service.RestartServer(r.Context(), r.PathValue("name")))
}

func (a *API) listTools(w http.ResponseWriter, r *http.Request) {
	s := &stream{api: a, w: w, r: r}
	opt, err := s.listOptions()
	if err != nil {
		s.end(client.Progress{}, err)
		return
	}
	tools, err := a.opt.Service.ListTools(r.Context(), r.PathValue("name"), opt)
	s.end(client.Progress{Tools: tools}, err)
}

func (a *API) inspect(w http.ResponseWriter, r *http.Request) {
	s := &stream{api: a, w: w, r: r}
	opt, err := s.listOptions()
	if err != nil {
		s.end(client.Progress{}, err)
		return
	}
	page, err := a.opt.Service.Inspect(r.Context(), r.PathValue("name"), opt)
	s.end(client.Progress{Page: &page}, err)
}

func (s *stream) listOptions() (ListOptions, error) {
	var body client.ListRequest
	if err := read(s.r, &body); err != nil {
		return ListOptions{}, err
	}
	const most = 10 * time.Minute
	opt := ListOptions{Timeout: time.Duration(body.TimeoutMS) * time.Millisecond}
	if body.TimeoutMS < 0 || body.TimeoutMS > most.Milliseconds() {
		return opt, &client.Error{Code: "invalid", Message: "timeout must be between 0 and 10 minutes"}
	}
	if body.Trace {
		opt.Trace = s.frame
	}
	return opt, nil
}

func (a *API) search(w http.ResponseWriter, r *http.Request) {
	limit, err := number(r, "limit", 0, 1000)
	if err != nil {
		a.answer(w, r, nil, err)
		return
	}
	q := r.URL.Query()
	if id := q.Get("expect"); id != "" {
		v, err := a.opt.Service.Expect(r.Context(), q.Get("q"), q.Get("server"), id)
		a.answer(w, r, v, err)
		return
	}
	v, err := a.opt.Service.Search(r.Context(), q.Get("q"), limit, q.Get("server"))
	if v == nil {
		v = []client.Hit{}
	}
	a.answer(w, r, v, err)
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

func (a *API) index(w http.ResponseWriter, r *http.Request) {
	v, err := a.opt.Service.Index(r.Context())
	a.answer(w, r, v, err)
}

func (a *API) rebuild(w http.ResponseWriter, r *http.Request) {
	s := &stream{api: a, w: w, r: r}
	v, err := a.opt.Service.Rebuild(r.Context(), func(done, total int) {
		s.send(client.Progress{Done: done, Total: total})
	})
	s.end(client.Progress{Index: &v}, err)
}

func (a *API) listModels(w http.ResponseWriter, r *http.Request) {
	v, err := a.opt.Service.Models(r.Context())
	a.answer(w, r, v, err)
}

func (a *API) useModel(w http.ResponseWriter, r *http.Request) {
	var body client.UseModelRequest
	if err := read(r, &body); err != nil {
		a.answer(w, r, nil, err)
		return
	}
	v, err := a.opt.Service.UseModel(r.Context(), body.Name)
	a.answer(w, r, v, err)
}

func (a *API) removeModel(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, struct{}{}, a.opt.Service.RemoveModel(r.Context(), r.PathValue("name")))
}

// number reads a query parameter between 0 and most.
func number(r *http.Request, name string, missing, most int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return missing, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, &client.Error{Code: "invalid", Message: name + " must be a number from 0 to " + strconv.Itoa(most)}
	}
	return n, nil
}
