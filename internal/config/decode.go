package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/tailscale/hujson"

	"mcpproxy/internal/closest"
	"mcpproxy/internal/config/jsonc"
)

// decoder walks a document, fills a [Config] and collects all that is wrong.
type decoder struct {
	text     []byte
	faults   Faults
	warnings []Warning
}

// setter takes one value. at is its path.
type setter func(at string, v hujson.Value)

func (d *decoder) fault(at string, v hujson.Value, format string, args ...any) {
	d.faults = append(d.faults, Fault{Path: at, Line: jsonc.LineOf(d.text, v.StartOffset), Message: fmt.Sprintf(format, args...)})
}

func (d *decoder) warn(at string, v hujson.Value, format string, args ...any) {
	d.warnings = append(d.warnings, Warning{Path: at, Line: jsonc.LineOf(d.text, v.StartOffset), Message: fmt.Sprintf(format, args...)})
}

// object hands each member of v to its setter. A null counts as not given.
func (d *decoder) object(at string, v hujson.Value, keys map[string]setter) {
	d.members(at, v, func(key string, name, value hujson.Value) {
		set, ok := keys[key]
		switch {
		case !ok:
			message := "unknown key, ignored"
			if near := closest.Name(key, slices.Sorted(maps.Keys(keys))); near != "" {
				message += fmt.Sprintf(" (did you mean %q?)", near)
			}
			d.warn(child(at, key), name, "%s", message)
		case value.Value.Kind() != 'n':
			set(child(at, key), value)
		}
	})
}

// members calls each for every member of v in order, duplicates left out.
func (d *decoder) members(at string, v hujson.Value, each func(key string, name, value hujson.Value)) {
	obj, ok := v.Value.(*hujson.Object)
	if !ok {
		d.fault(at, v, "must be an object { ... }, not %s", kindName(v))
		return
	}
	first := make(map[string]int, len(obj.Members))
	for _, m := range obj.Members {
		key := jsonc.Literal(m.Name)
		if line, seen := first[key]; seen {
			d.fault(child(at, key), m.Name, "is given twice (first on line %d)", line)
			continue
		}
		first[key] = jsonc.LineOf(d.text, m.Name.StartOffset)
		each(key, m.Name, m.Value)
	}
}

func kindName(v hujson.Value) string {
	switch v.Value.Kind() {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 'n':
		return "null"
	}
	return "true or false"
}

// str accepts a string for which check, if any, returns "".
func (d *decoder) str(dst *string, check func(string) string) setter {
	return func(at string, v hujson.Value) {
		if v.Value.Kind() != '"' {
			d.fault(at, v, "must be a string, not %s", kindName(v))
			return
		}
		s := jsonc.Literal(v)
		if check != nil {
			if message := check(s); message != "" {
				d.fault(at, v, "%s", message)
				return
			}
		}
		*dst = s
	}
}

func (d *decoder) flag(dst *bool) setter {
	return func(at string, v hujson.Value) {
		switch v.Value.Kind() {
		case 't', 'f':
			*dst = v.Value.Kind() == 't'
		default:
			d.fault(at, v, "must be true or false, not %s", kindName(v))
		}
	}
}

func (d *decoder) optionalFlag(dst **bool) setter {
	return func(at string, v hujson.Value) {
		n := len(d.faults)
		var b bool
		if d.flag(&b)(at, v); len(d.faults) == n {
			*dst = &b
		}
	}
}

// count accepts a whole number from least to math.MaxInt32.
func (d *decoder) count(dst *int, least int) setter {
	return func(at string, v hujson.Value) {
		if v.Value.Kind() != '0' {
			d.fault(at, v, "must be a number, not %s", kindName(v))
			return
		}
		n, err := strconv.ParseInt(string(v.Value.(hujson.Literal)), 10, 32)
		switch {
		case err != nil:
			d.fault(at, v, "must be a whole number up to %d", math.MaxInt32)
		case n < int64(least):
			d.fault(at, v, "must be at least %d", least)
		default:
			*dst = int(n)
		}
	}
}

// duration accepts "30s" and a number of seconds, above 0 and up to most.
func (d *decoder) duration(dst *time.Duration, most time.Duration) setter {
	return func(at string, v hujson.Value) {
		var t time.Duration
		switch v.Value.Kind() {
		case '0':
			seconds := v.Value.(hujson.Literal).Float()
			if math.Abs(seconds) > most.Seconds() {
				d.fault(at, v, "must be at most %s (a number counts seconds)", plainDuration(most))
				return
			}
			t = time.Duration(seconds * float64(time.Second))
		case '"':
			var err error
			if t, err = time.ParseDuration(jsonc.Literal(v)); err != nil {
				d.fault(at, v, `must be a duration such as "30s" or "2m"`)
				return
			}
		default:
			d.fault(at, v, `must be a duration such as "30s" or a number of seconds, not %s`, kindName(v))
			return
		}
		switch {
		case t <= 0:
			d.fault(at, v, "must be above 0")
		case t > most:
			d.fault(at, v, "must be at most %s", plainDuration(most))
		default:
			*dst = t
		}
	}
}

func plainDuration(t time.Duration) string {
	if t%time.Minute == 0 {
		return strconv.Itoa(int(t/time.Minute)) + "m"
	}
	return t.String()
}

// list accepts strings for which check, if any, returns "".
func (d *decoder) list(dst *[]string, check func(string) string) setter {
	return func(at string, v hujson.Value) {
		arr, ok := v.Value.(*hujson.Array)
		if !ok {
			d.fault(at, v, "must be a list of strings, not %s", kindName(v))
			return
		}
		out := make([]string, len(arr.Elements))
		for i := range arr.Elements {
			d.str(&out[i], check)(element(at, i), arr.Elements[i])
		}
		*dst = out
	}
}

// table accepts an object of strings. check gets key and value.
func (d *decoder) table(dst *map[string]string, check func(key, value string) string) setter {
	return func(at string, v hujson.Value) {
		out := map[string]string{}
		maps.Copy(out, *dst)
		d.members(at, v, func(key string, name, value hujson.Value) {
			var s string
			d.str(&s, func(s string) string { return check(key, s) })(child(at, key), value)
			out[key] = s
		})
		*dst = out
	}
}

// numeric accepts a string or a number, as people write "1.0" and 1.0 alike.
func (d *decoder) numeric(dst *string, check func(string) string) setter {
	return func(at string, v hujson.Value) {
		if v.Value.Kind() == '0' {
			quoted, err := json.Marshal(string(v.Value.(hujson.Literal)))
			if err == nil {
				v.Value = hujson.Literal(quoted)
			}
		}
		d.str(dst, check)(at, v)
	}
}

// oneOf makes a check for a closed set of words.
func oneOf(words ...string) func(string) string {
	return func(s string) string {
		if slices.Contains(words, s) {
			return ""
		}
		return "must be one of " + joinWords(words)
	}
}

func joinWords(words []string) string {
	var out strings.Builder
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			out.WriteString(" or ")
		default:
			out.WriteString(", ")
		}
		out.WriteString(w)
	}
	return out.String()
}

// plain refuses control characters, which neither a command line nor a header
// can carry safely.
func plain(s string) string {
	for _, r := range s {
		if unicode.IsControl(r) {
			return "must not hold control characters"
		}
	}
	return ""
}

func noNUL(s string) string {
	for i := range len(s) {
		if s[i] == 0 {
			return "must not hold a NUL character"
		}
	}
	return ""
}
