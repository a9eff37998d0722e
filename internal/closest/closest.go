// Package closest finds what a mistyped name was meant to be.
package closest

import "strings"

// Name returns the known name that is closest to a mistyped one, or "" if none is
// close: up to three letters differ, two in short ones. Case and underscores do
// not count.
func Name(name string, known []string) string {
	best, bestDistance := "", 3
	if len(name) < 5 {
		bestDistance = 2
	}
	lower := strings.ToLower(name)
	for _, k := range known {
		if strings.EqualFold(strings.ReplaceAll(k, "_", ""), strings.ReplaceAll(name, "_", "")) {
			return k
		}
		if d := distance(lower, strings.ToLower(k)); d <= bestDistance && (d < bestDistance || best == "") {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes. Texts too long to be typed are
// far from everything.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
