package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Client calls the REST API of one instance. Safe for concurrent use.
type Client struct {
	http *http.Client
	base string // scheme and host
	key  string // empty where the transport vouches for the caller
}

// ListOptions is for one listing of a server.
type ListOptions struct {
	Timeout time.Duration                  // 0: 30 s
	Frame   func(dir string, frame []byte) // if set, gets every JSON-RPC frame; dir is "->" or "<-"
}

// Status returns one screen about everything.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return ask[Status](ctx, c, http.MethodGet, "/api/v1/status", nil)
}

// Servers returns the configured upstreams in the order of the file.
func (c *Client) Servers(ctx context.Context) ([]Server, error) {
	return ask[[]Server](ctx, c, http.MethodGet, "/api/v1/servers", nil)
}

// Server returns one configured upstream.
func (c *Client) Server(ctx context.Context, name string) (Server, error) {
	return ask[Server](ctx, c, http.MethodGet, serverPath(name), nil)
}

// AddServer adds an upstream to the configuration; it waits for approval.
func (c *Client) AddServer(ctx context.Context, add ServerChange) (Server, error) {
	return ask[Server](ctx, c, http.MethodPost, "/api/v1/servers", add)
}

// UpdateServer changes the given fields only.
func (c *Client) UpdateServer(ctx context.Context, name string, change ServerChange) (Server, error) {
	return ask[Server](ctx, c, http.MethodPatch, serverPath(name), change)
}

// RemoveServer takes an upstream out of the configuration.
func (c *Client) RemoveServer(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, serverPath(name), nil, nil)
}

// RestartServer starts an upstream anew.
func (c *Client) RestartServer(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodPost, serverPath(name)+"/restart", struct{}{}, nil)
}

// ListTools lists an upstream now, starting it once where it does not run.
func (c *Client) ListTools(ctx context.Context, server string, opt ListOptions) ([]Tool, error) {
	last, err := c.list(ctx, serverPath(server)+"/tools", opt)
	return last.Tools, err
}

// Search finds approved tools. A limit of 0 is the configuration's top_k; an
// empty server means all.
func (c *Client) Search(ctx context.Context, query string, limit int, server string) ([]Hit, error) {
	q := url.Values{"q": {query}}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	if server != "" {
		q.Set("server", server)
	}
	return ask[[]Hit](ctx, c, http.MethodGet, "/api/v1/tools/search?"+q.Encode(), nil)
}

// Expect says where the tool id stands for a search, or what hides it.
func (c *Client) Expect(ctx context.Context, query, server, id string) (Expectation, error) {
	q := url.Values{"q": {query}, "expect": {id}}
	if server != "" {
		q.Set("server", server)
	}
	return ask[Expectation](ctx, c, http.MethodGet, "/api/v1/tools/search?"+q.Encode(), nil)
}

// CallTool calls a tool of the proxy, or an upstream's by "server:tool", and
// returns the CallToolResult as it came.
func (c *Client) CallTool(ctx context.Context, name string, args json.RawMessage) (json.RawMessage, error) {
	return ask[json.RawMessage](ctx, c, http.MethodPost, "/api/v1/tools/call", CallRequest{Name: name, Arguments: args})
}

// Waiting returns what waits for a person.
func (c *Client) Waiting(ctx context.Context) ([]Waiting, error) {
	return ask[[]Waiting](ctx, c, http.MethodGet, "/api/v1/quarantine", nil)
}

// Inspect starts the upstream once where it does not run, stores what it lists
// and returns the page to review.
func (c *Client) Inspect(ctx context.Context, server string, opt ListOptions) (Waiting, error) {
	last, err := c.list(ctx, quarantinePath(server)+"/inspect", opt)
	if err == nil && last.Page == nil {
		err = errors.New("inspection answered no page")
	}
	if err != nil {
		return Waiting{}, err
	}
	return *last.Page, nil
}

// Approve approves the page whose hash is given and returns it.
func (c *Client) Approve(ctx context.Context, server, hash string) (Waiting, error) {
	return ask[Waiting](ctx, c, http.MethodPost, quarantinePath(server)+"/approve", ApproveRequest{Hash: hash})
}

// Index describes the search index.
func (c *Client) Index(ctx context.Context) (Index, error) {
	return ask[Index](ctx, c, http.MethodGet, "/api/v1/index", nil)
}

// Rebuild makes the index anew, calling progress, if set, as it goes.
func (c *Client) Rebuild(ctx context.Context, progress func(done, total int)) (Index, error) {
	last, err := c.stream(ctx, "/api/v1/index/rebuild", struct{}{}, func(p Progress) {
		if progress != nil && p.Total > 0 {
			progress(p.Done, p.Total)
		}
	})
	if err == nil && last.Index == nil {
		err = errors.New("rebuild answered no index")
	}
	if err != nil {
		return Index{}, err
	}
	return *last.Index, nil
}

// Models returns the bundled sentence model, then a person's own by name.
func (c *Client) Models(ctx context.Context) ([]Model, error) {
	return ask[[]Model](ctx, c, http.MethodGet, "/api/v1/models", nil)
}

// UseModel chooses a sentence model in the configuration.
func (c *Client) UseModel(ctx context.Context, name string) (Model, error) {
	return ask[Model](ctx, c, http.MethodPost, "/api/v1/models/use", UseModelRequest{Name: name})
}

// RemoveModel deletes a person's own model that is not in use.
func (c *Client) RemoveModel(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/api/v1/models/"+url.PathEscape(name), nil, nil)
}

func (c *Client) list(ctx context.Context, path string, opt ListOptions) (Progress, error) {
	body := ListRequest{TimeoutMS: opt.Timeout.Milliseconds(), Trace: opt.Frame != nil}
	return c.stream(ctx, path, body, func(p Progress) {
		if opt.Frame != nil && len(p.Frame) > 0 {
			opt.Frame(p.Dir, p.Frame)
		}
	})
}

// ask sends in, if not nil, as JSON and returns the answer.
func ask[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var out T
	err := c.do(ctx, method, path, in, &out)
	return out, err
}

// do sends in, if not nil, as JSON and decodes the answer into out, if not nil.
func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("%s %s: answer is no JSON: %w", method, path, err)
	}
	return nil
}

// stream posts in and calls each for every line but the last, which it returns.
func (c *Client) stream(ctx context.Context, path string, in any, each func(Progress)) (Progress, error) {
	resp, err := c.send(ctx, http.MethodPost, path, in)
	if err != nil {
		return Progress{}, err
	}
	defer resp.Body.Close()
	lines := json.NewDecoder(resp.Body)
	for {
		var p Progress
		if err := lines.Decode(&p); err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			} else if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return Progress{}, fmt.Errorf("the answer broke off: %w", err)
		}
		switch {
		case p.Error != nil:
			return Progress{}, p.Error
		case p.End:
			return p, nil
		}
		each(p)
	}
}

// send returns the response to a request that was answered 2xx. headers are
// pairs of name and value; those without a value are left out.
func (c *Client) send(ctx context.Context, method, path string, in any, headers ...string) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok { // its text has the whole URL, query included
			err = wrapped.Err
		}
		return nil, fmt.Errorf("instance: %w", err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, refusal(resp)
}

// refusal reads the error of an answer that is not 2xx.
func refusal(resp *http.Response) error {
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("instance: HTTP %d: %w", resp.StatusCode, err)
	}
	var e Error
	if json.Unmarshal(data, &e) != nil || e.Message == "" {
		return &Error{Code: CodeInternal, Message: fmt.Sprintf("instance answered HTTP %d: %.200s", resp.StatusCode, bytes.TrimSpace(data))}
	}
	return &e
}

func serverPath(name string) string     { return "/api/v1/servers/" + url.PathEscape(name) }
func quarantinePath(name string) string { return "/api/v1/quarantine/" + url.PathEscape(name) }
