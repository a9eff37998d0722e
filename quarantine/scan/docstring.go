package scan

import (
	"regexp"
	"strings"
)

// beforeParameters is where a docstring begins to list parameters: what it says
// there explains them and is no purpose of the tool.
func beforeParameters(text string) int {
	if at := parameterHead.FindStringIndex(text); at != nil {
		return at[0]
	}
	return len(text)
}

// parameterHead is the heading of a list of parameters in the docstrings of common
// languages.
var parameterHead = regexp.MustCompile(`(?i)\b(args|arguments|parameters?|params|inputs?)\s*(\*\*)?\s*:|[:@]param\b`)

// listed is one parameter of such a list, at the start of a line or of an item.
var listed = regexp.MustCompile(`(?:^|[\n;,]|[:@]param|\bargs:|\barguments:|\bparameters:)[ \t]*(?:[-*•] *)?[\x60"']?([A-Za-z_][A-Za-z0-9_]{1,40})[\x60"']?[ \t]*(?:\([^)\n]{0,80}\))?[ \t]*(?::|--| - | – )`)

// notParameters are words that begin lines in the same way.
var notParameters = " args arguments parameters params input inputs returns return raises yields example examples note notes important warning default format type required optional e.g description "

// documented returns the names of the parameters that a description lists. Many
// servers explain them there and nowhere else.
func documented(description string) (names []string) {
	rest := description[beforeParameters(description):]
	for _, m := range listed.FindAllStringSubmatch(rest, 50) {
		if !strings.Contains(notParameters, " "+strings.ToLower(m[1])+" ") {
			names = append(names, m[1])
		}
	}
	return names
}
