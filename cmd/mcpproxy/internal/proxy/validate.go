package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Bounds of the argument check. What is beyond them goes to the upstream
// unchecked, because a schema is the upstream's text and may be hostile or
// odd, and the check is a help to the agent and no gate.
const (
	maxSchemaBytes   = 256 << 10
	maxArgumentBytes = 1 << 20
	maxSteps         = 100_000 // schema evaluations of one check, some 20 ms
	maxFaults        = 5       // shown
)

// maxArgumentDepth is refused: no honest call nests so deep.
const maxArgumentDepth = 128

var errNoFetch = errors.New("remote schemas are not fetched")

// schema checks arguments. The zero value compiles at its first use.
type schema struct {
	mu       sync.Mutex // one check at a time: they share steps
	compiled *jsonschema.Schema
	tried    bool
	steps    int
}

// check returns nil if args fit the tool's schema or the schema cannot tell;
// else an error with the path of every fault, one a line.
func (d *definition) check(args json.RawMessage) error {
	if depth(args) > maxArgumentDepth {
		return fmt.Errorf("/: nested deeper than %d", maxArgumentDepth)
	}
	raw := d.tool.InputSchema
	if len(raw) == 0 || len(raw) > maxSchemaBytes || len(args) > maxArgumentBytes {
		return nil
	}
	return d.schema.check(raw, args)
}

func (s *schema) check(raw, args json.RawMessage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.tried {
		s.tried = true
		s.compiled = s.compile(raw)
	}
	if s.compiled == nil {
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(args))
	if err != nil {
		return errors.New("/: not JSON")
	}
	return s.validate(value)
}

// validate recovers from the end of the steps and from a fault of the library;
// such a schema is not used again.
func (s *schema) validate(value any) (err error) {
	defer func() {
		if recover() != nil {
			s.compiled, err = nil, nil
		}
	}()
	s.steps = maxSteps
	if faults, ok := errors.AsType[*jsonschema.ValidationError](s.compiled.Validate(value)); ok {
		return faultText(faults)
	}
	return nil
}

// compile returns nil for a schema that does not compile.
func (s *schema) compile(raw json.RawMessage) (compiled *jsonschema.Schema) {
	defer func() {
		if recover() != nil {
			compiled = nil
		}
	}()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil
	}
	const name = "mcpproxy:///schema.json"
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	c.UseRegexpEngine(compileRegexp)
	if c.AddResource(name, doc) != nil {
		return nil
	}
	compiled, err = c.Compile(name)
	if err != nil || !s.meter(compiled, map[*jsonschema.Schema]bool{}) {
		return nil
	}
	return compiled
}

// errSteps is what meter panics with; validate recovers.
var errSteps = errors.New("too many steps")

// meter makes every schema reachable from sch count its evaluations. The format
// is the one hook that runs before a schema's branches do; formats of the
// upstream are annotations only (JSON Schema 2020-12, 7.2.1). It returns false
// for schemas whose references are resolved while validating.
func (s *schema) meter(sch *jsonschema.Schema, seen map[*jsonschema.Schema]bool) bool {
	if sch == nil || seen[sch] {
		return true
	}
	seen[sch] = true
	if sch.DynamicRef != nil || sch.RecursiveRef != nil {
		return false
	}
	cost := 1
	if sch.Enum != nil {
		cost += len(sch.Enum.Values)
	}
	sch.Format = &jsonschema.Format{Name: "steps", Validate: func(any) error {
		if s.steps -= cost; s.steps < 0 {
			panic(errSteps)
		}
		return nil
	}}
	for _, child := range children(sch) {
		if !s.meter(child, seen) {
			return false
		}
	}
	return true
}

// children returns every schema that evaluating sch can lead to.
func children(sch *jsonschema.Schema) []*jsonschema.Schema {
	list := []*jsonschema.Schema{sch.Ref, sch.Not, sch.If, sch.Then, sch.Else, sch.PropertyNames, sch.UnevaluatedProperties,
		sch.Contains, sch.Items2020, sch.UnevaluatedItems, sch.ContentSchema}
	for _, more := range [][]*jsonschema.Schema{sch.AllOf, sch.AnyOf, sch.OneOf, sch.PrefixItems} {
		list = append(list, more...)
	}
	for _, c := range sch.Properties {
		list = append(list, c)
	}
	for _, c := range sch.PatternProperties {
		list = append(list, c)
	}
	for _, c := range sch.DependentSchemas {
		list = append(list, c)
	}
	for _, c := range sch.Dependencies {
		list = appendSchema(list, c)
	}
	list = appendSchema(list, sch.AdditionalProperties)
	list = appendSchema(list, sch.AdditionalItems)
	return appendSchema(list, sch.Items)
}

func appendSchema(list []*jsonschema.Schema, v any) []*jsonschema.Schema {
	switch v := v.(type) {
	case *jsonschema.Schema:
		return append(list, v)
	case []*jsonschema.Schema:
		return append(list, v...)
	}
	return list
}

// noLoader refuses every reference that leaves the schema.
type noLoader struct{}

// Load implements jsonschema.URLLoader.
func (noLoader) Load(string) (any, error) { return nil, errNoFetch }

// anyText stands for a pattern that RE2 does not have, such as a look-ahead.
type anyText string

// MatchString implements jsonschema.Regexp.
func (anyText) MatchString(string) bool { return true }

// String implements jsonschema.Regexp.
func (a anyText) String() string { return string(a) }

func compileRegexp(pattern string) (jsonschema.Regexp, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return anyText(pattern), nil
	}
	return re, nil
}

// faultText lists the leaves of e as "path: what is wrong".
func faultText(e *jsonschema.ValidationError) error {
	print := message.NewPrinter(language.English)
	var lines []string
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		for _, c := range e.Causes {
			walk(c)
		}
		if len(e.Causes) == 0 && len(lines) <= maxFaults {
			line := "/" + strings.Join(e.InstanceLocation, "/") + ": " + plainText(e.ErrorKind.LocalizedString(print), 300)
			lines = append(lines, line)
		}
	}
	walk(e)
	if len(lines) > maxFaults {
		lines[maxFaults] = "…"
	}
	return errors.New(strings.Join(lines, "\n"))
}

// depth returns how deep the brackets of JSON text nest.
func depth(raw []byte) int {
	deepest, now, inString := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}
