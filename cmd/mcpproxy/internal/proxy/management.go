package proxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
)

// management is the checked input of upstream_servers.
type management struct {
	operation string
	name      string
	lines     int
	change    client.ServerChange
}

// readManagement reads the arguments of upstream_servers. Trust and isolation
// are not among them, and neither is anything unknown.
func readManagement(args json.RawMessage) (in management, err error) {
	list, err := members(args)
	if err != nil {
		return in, err
	}
	for _, m := range list {
		if string(m.Value) == "null" {
			continue
		}
		switch m.Key {
		case "operation":
			in.operation, err = readString(m)
		case "name":
			in.name, err = readString(m)
		case "lines":
			in.lines, err = readInt(m)
		default:
			err = readField(&in.change, m)
		}
		if err != nil {
			return in, err
		}
	}
	return in, nil
}

// readField reads one field of a server.
func readField(c *client.ServerChange, m member) error {
	switch m.Key {
	case "command":
		return read(&c.Command, m, readString)
	case "url":
		return read(&c.URL, m, readString)
	case "working_dir", "cwd":
		return read(&c.WorkingDir, m, readString)
	case "protocol":
		return read(&c.Protocol, m, readString)
	case "enabled":
		return read(&c.Enabled, m, readBool)
	case "args", "args_json":
		return read(&c.Args, m, readStrings)
	case "env", "env_json":
		return read(&c.Env, m, readStringMap)
	case "headers", "headers_json":
		return read(&c.Headers, m, readStringMap)
	case "quarantined", "isolation", "auto_approve", "trust", "oauth":
		return fmt.Errorf("%s is for the user only, in the configuration file", m.Key)
	}
	return fmt.Errorf("unknown field %q: want name, command, args, env, url, headers, working_dir, protocol, enabled or lines", escape.Clip(m.Key, 50))
}

// read sets a field that is not set yet.
func read[T any](field **T, m member, parse func(member) (T, error)) error {
	if *field != nil {
		return fmt.Errorf("%s is given twice", strings.TrimSuffix(m.Key, "_json"))
	}
	v, err := parse(m)
	if err != nil {
		return err
	}
	*field = &v
	return nil
}

// complete checks what the operation needs.
func (in management) complete() error {
	switch in.operation {
	case "":
		return errors.New("operation is missing: list, add, update, remove, enable, disable, restart or logs")
	case "list":
		return nil
	case "add":
		if in.change.Command == nil && in.change.URL == nil {
			return errors.New("add needs a command (stdio) or a url (http)")
		}
	case "update":
		if in.change == (client.ServerChange{}) {
			return errors.New("update changes nothing: give at least one field")
		}
	case "remove", "enable", "disable", "restart", "logs":
	default:
		return fmt.Errorf("operation %q is unknown: want list, add, update, remove, enable, disable, restart or logs", escape.Clip(in.operation, 30))
	}
	if in.name == "" {
		return fmt.Errorf("%s needs the name of a server", in.operation)
	}
	return nil
}
