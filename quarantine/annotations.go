package quarantine

import (
	"encoding/json"
	"maps"

	"mcpproxy/internal/tool"
)

// hints are the behaviour hints of MCP (2025-11-25, ToolAnnotations), each with
// the value that claims more safety: clients relax on it, so it is never applied
// unseen. idempotentHint claims none.
var hints = map[string]string{
	"readOnlyHint":    "true",
	"destructiveHint": "false",
	"openWorldHint":   "false",
	"idempotentHint":  "",
}

// applied reports whether the change from the approved definition to now is one
// of behaviour hints alone that claims no more safety than before. Such a change
// needs no person; every other one does, that of an annotation which is text
// too.
func applied(approved, now json.RawMessage) bool {
	return hintChange(approved, now, func(hint, old, claim string) bool {
		safer := hints[hint]
		return claim != safer || safer == "" || old == safer
	})
}

// hintsOnly reports whether the two differ in behaviour hints alone, whatever
// those claim.
func hintsOnly(approved, now json.RawMessage) bool {
	return hintChange(approved, now, func(string, string, string) bool { return true })
}

// hintChange reports whether the two differ in behaviour hints alone and allowed
// is true for each hint.
func hintChange(approved, now json.RawMessage, allowed func(hint, old, claim string) bool) bool {
	var was, is map[string]json.RawMessage
	if json.Unmarshal(approved, &was) != nil || json.Unmarshal(now, &is) != nil {
		return false
	}
	before, ok := annotationsOf(was)
	after, okNow := annotationsOf(is)
	if !ok || !okNow || !sameJSON(was, is) {
		return false
	}
	for hint := range hints {
		old, claim := before[hint], after[hint]
		if !boolOrAbsent(claim) || !allowed(hint, string(old), string(claim)) {
			return false
		}
		delete(before, hint)
		delete(after, hint)
	}
	return sameJSON(before, after)
}

// annotationsOf takes the annotations out of a definition; absent ones are empty.
func annotationsOf(definition map[string]json.RawMessage) (map[string]json.RawMessage, bool) {
	raw := definition["annotations"]
	delete(definition, "annotations")
	list := map[string]json.RawMessage{}
	if len(raw) == 0 {
		return list, true
	}
	err := json.Unmarshal(raw, &list)
	return list, err == nil && list != nil
}

func boolOrAbsent(raw json.RawMessage) bool {
	return len(raw) == 0 || string(raw) == "true" || string(raw) == "false"
}

// sameJSON compares member by member in canonical form.
func sameJSON(x, y map[string]json.RawMessage) bool {
	return maps.EqualFunc(x, y, func(a, b json.RawMessage) bool {
		p, errA := tool.Canonical(a)
		q, errB := tool.Canonical(b)
		return errA == nil && errB == nil && string(p) == string(q)
	})
}
