package api

import "net/http"

// handler serves a route.
type handler = func(*API, http.ResponseWriter, *http.Request)

// nothing is the body of a POST that needs none, and the answer that says no
// more than 200: {}.
type nothing = struct{}

// answers serves a route with what f returns, as JSON, or its error.
func answers[T any](f func(*API, *http.Request) (T, error)) handler {
	return func(a *API, w http.ResponseWriter, r *http.Request) {
		v, err := f(a, r)
		a.answer(w, r, v, err)
	}
}

// takes is answers for a route with a JSON body.
func takes[B, T any](f func(*API, *http.Request, B) (T, error)) handler {
	return answers(func(a *API, r *http.Request) (T, error) {
		var body B
		if err := read(r, &body); err != nil {
			var none T
			return none, err
		}
		return f(a, r, body)
	})
}
