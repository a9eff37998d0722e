package api

import (
	"context"
	"net/http"

	"mcpproxy/internal/client"
)

// Logins has the OAuth logins of remote servers.
type Logins interface {
	Logins(ctx context.Context) ([]client.Login, error)
	// LogIn waits until the person did so. It calls prompt once the URL is known.
	LogIn(ctx context.Context, server string, noBrowser bool, prompt func(client.LoginPrompt)) (client.Login, error)
	LogOut(ctx context.Context, server string) (client.Login, error)
}

func (a *API) serverLogins(r *http.Request) ([]client.Login, error) {
	return a.opt.Service.Logins(r.Context())
}

func (a *API) serverLogin(w http.ResponseWriter, r *http.Request) {
	s := &stream{api: a, w: w, r: r}
	var body client.ServerLoginRequest
	if err := read(r, &body); err != nil {
		s.end(client.Progress{}, err)
		return
	}
	v, err := a.opt.Service.LogIn(r.Context(), r.PathValue("name"), body.NoBrowser, func(p client.LoginPrompt) {
		s.send(client.Progress{Prompt: &p})
	})
	s.end(client.Progress{Login: &v}, err)
}

func (a *API) serverLogout(r *http.Request, _ nothing) (client.Login, error) {
	return a.opt.Service.LogOut(r.Context(), r.PathValue("name"))
}
