package api

import (
	"net/http"

	"mcpproxy/cmd/mcpproxy/internal/api/web"
)

// ui serves the page, which is static: what it shows comes from the routes that
// ask who is there.
func (a *API) ui(w http.ResponseWriter, r *http.Request) { web.Serve(w, r) }

// front sends who types only the address to the page.
func (a *API) front(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/ui/", http.StatusFound)
}
