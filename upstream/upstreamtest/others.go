package upstreamtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Others is what a [Server] lists besides tools. A nil list is not announced.
type Others struct {
	Prompts   []json.RawMessage
	Resources []json.RawMessage
	Templates []json.RawMessage

	Broken  string // the list method that is answered with an error
	Hanging string // the list method that is never answered
	Endless string // the list method whose pages do not end
}

// Prompt returns a definition with a description and one argument.
func Prompt(name string) json.RawMessage {
	return fmt.Appendf(nil, `{"name":%q,"description":"asks for %s","arguments":[{"name":"topic","required":true}]}`, name, name)
}

// Resource returns a definition named by a URI.
func Resource(uri string) json.RawMessage {
	return fmt.Appendf(nil, `{"uri":%q,"name":%q,"description":"holds %s","mimeType":"text/plain"}`, uri, uri, uri)
}

// Template returns a resource template.
func Template(uri string) json.RawMessage {
	return fmt.Appendf(nil, `{"uriTemplate":%q,"name":%q,"description":"makes %s"}`, uri, uri, uri)
}

// SetOthersSilently replaces what is listed besides tools and tells nobody.
func (s *Server) SetOthersSilently(o Others) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.others = &o
}

// SetOthers replaces what is listed besides tools and tells every connection.
func (s *Server) SetOthers(o Others) {
	s.SetOthersSilently(o)
	s.Broadcast("notifications/prompts/list_changed", nil)
	s.Broadcast("notifications/resources/list_changed", nil)
}

// SetInstructions replaces what later connections are told at initialize.
func (s *Server) SetInstructions(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advice = &text
}

// Fetched returns "method params" of every prompts/get and resources/read.
func (s *Server) Fetched() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.fetched...)
}

func (s *Server) othersNow() Others {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.others != nil {
		return *s.others
	}
	return s.Script.Others
}

// capabilities announces what there was at first or is now.
func (s *Server) capabilities() string {
	was, is := s.Script.Others, s.othersNow()
	caps := ""
	if was.Prompts != nil || is.Prompts != nil {
		caps += `,"prompts":{"listChanged":true}`
	}
	if was.Resources != nil || was.Templates != nil || is.Resources != nil || is.Templates != nil {
		caps += `,"resources":{"listChanged":true}`
	}
	return caps
}

func (s *Server) instructions() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.Script.Instructions
	if s.advice != nil {
		text = *s.advice
	}
	if text == "" {
		return ""
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return ""
	}
	return `,"instructions":` + string(quoted)
}

// other answers what concerns no tool.
func (s *Server) other(ctx context.Context, method string, params json.RawMessage) (json.RawMessage, error) {
	o := s.othersNow()
	switch method {
	case o.Broken:
		return nil, errors.New("told to fail")
	case o.Hanging:
		<-ctx.Done()
		return nil, errDie
	case o.Endless:
		return endless(params), nil
	case "prompts/list":
		return listed("prompts", o.Prompts), nil
	case "resources/list":
		return listed("resources", o.Resources), nil
	case "resources/templates/list":
		return listed("resourceTemplates", o.Templates), nil
	case "prompts/get", "resources/read":
		s.mu.Lock()
		s.fetched = append(s.fetched, method+" "+string(params))
		s.mu.Unlock()
		if s.OnFetch != nil {
			return s.OnFetch(ctx, method, params)
		}
		return fmt.Appendf(nil, `{"echo":%s}`, params), nil
	default:
		return nil, errors.New("method not found: " + method)
	}
}

func listed(member string, defs []json.RawMessage) json.RawMessage {
	if defs == nil {
		defs = []json.RawMessage{}
	}
	text, err := json.Marshal(map[string]any{member: defs})
	if err != nil {
		return nil
	}
	return text
}

func endless(params json.RawMessage) json.RawMessage {
	var p struct {
		Cursor string `json:"cursor"`
	}
	_ = json.Unmarshal(params, &p)
	n, _ := strconv.Atoi(p.Cursor)
	return fmt.Appendf(nil, `{"nextCursor":"%d"}`, n+1)
}
