package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"go.uber.org/zap"

	"mcpproxy/internal/client"
)

// statusOf is the HTTP status of each code of [client.Error].
var statusOf = map[string]int{
	client.CodeInvalid:     http.StatusBadRequest,
	client.CodeHeld:        http.StatusForbidden,
	client.CodeForbidden:   http.StatusForbidden,
	client.CodeNotFound:    http.StatusNotFound,
	client.CodeConflict:    http.StatusConflict,
	client.CodeConfig:      http.StatusUnprocessableEntity,
	client.CodeUnavailable: http.StatusServiceUnavailable,
}

// answer writes v, or the error if there is one. A list that is nil is an empty
// one.
func (a *API) answer(w http.ResponseWriter, r *http.Request, v any, err error) {
	if err != nil {
		e := a.public(r, err)
		writeJSON(w, statusFor(e), e)
		return
	}
	if list := reflect.ValueOf(v); list.Kind() == reflect.Slice && list.IsNil() {
		v = []nothing{}
	}
	writeJSON(w, http.StatusOK, v)
}

func statusFor(e *client.Error) int {
	if status, known := statusOf[e.Code]; known {
		return status
	}
	return http.StatusInternalServerError
}

// public returns what a caller may see of err. Details of an unexpected error go
// to the log, under an id that the caller gets.
func (a *API) public(r *http.Request, err error) *client.Error {
	var own *client.Error
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, context.DeadlineExceeded):
		return &client.Error{Code: client.CodeUnavailable, Message: "it took too long"}
	case r.Context().Err() != nil:
		return &client.Error{Code: client.CodeUnavailable, Message: "the request was cancelled"}
	}
	id := rand.Text()[:10]
	a.opt.Log.Error("request failed", zap.String("request", id), zap.String("route", r.Pattern), zap.Error(err))
	return &client.Error{Code: client.CodeInternal, Message: "internal error, request " + id, Hint: "the log main.log has the details"}
}

// writeJSON keeps the texts of upstreams as they are: no HTML escapes.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the client is gone
}

// read decodes the body into v; an unknown field is an error, so that a
// misspelled one is not ignored.
func read(r *http.Request, v any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return &client.Error{Code: client.CodeInvalid, Message: fmt.Sprintf("body: %v", err)}
	}
	if dec.More() {
		return &client.Error{Code: client.CodeInvalid, Message: "body: more than one JSON value"}
	}
	return nil
}
