package api

import "net/http"

// endpoint serves a route.
type endpoint struct {
	serve   func(*API, http.ResponseWriter, *http.Request)
	in, out any // for the document, values of the types of body and answer; nil: see its [operation]
}

// nothing is the body of a POST that needs none, and the answer that says no
// more than 200: {}.
type nothing = struct{}

// raw is an endpoint that writes its answer itself.
func raw(f func(*API, http.ResponseWriter, *http.Request)) endpoint { return endpoint{serve: f} }

// answers is an endpoint that answers what f returns, as JSON, or its error.
func answers[T any](f func(*API, *http.Request) (T, error)) endpoint {
	var out T
	e := endpoint{out: out, serve: func(a *API, w http.ResponseWriter, r *http.Request) {
		v, err := f(a, r)
		a.answer(w, r, v, err)
	}}
	if e.out == any(nothing{}) {
		e.out = nil
	}
	return e
}

// takes is answers for a route with a JSON body.
func takes[B, T any](f func(*API, *http.Request, B) (T, error)) endpoint {
	var in B
	e := answers(func(a *API, r *http.Request) (T, error) {
		var body B
		if err := read(r, &body); err != nil {
			var none T
			return none, err
		}
		return f(a, r, body)
	})
	e.in = in
	return e
}
