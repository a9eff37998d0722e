package connect

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Plain is a value that looks like a secret and stands in a file as it is.
type Plain struct {
	Where string // env or header
	Key   string // its name there
	Name  string // proposed for the keyring
	Value string // secret: never shown
}

var (
	// secretName matches names of variables and headers whose values people keep
	// to themselves.
	secretName = regexp.MustCompile(`(?i)(token|secret|passw|pwd|api[_-]?key|apikey|access[_-]?key|private[_-]?key|credential|authorization|_pat$|_key$|^key$|-key$|cookie|dsn$)`)
	// secretValue matches the marks by which known issuers begin their tokens.
	secretValue = regexp.MustCompile(`^(gh[pousr]_|github_pat_|glpat-|sk-|sk_live_|xox[abprs]-|AKIA|ASIA|AIza|hf_|npm_|eyJ[A-Za-z0-9_-]+\.)`)
	scheme      = regexp.MustCompile(`(?i)^(bearer|basic|token)\s+`)
)

const shortest = 6 // characters: shorter values are switches and numbers

// Plain returns the values of env and headers that look like secrets.
func (s Server) Plain() []Plain {
	var list []Plain
	taken := map[string]bool{}
	look := func(where string, table map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(table)) {
			value := scheme.ReplaceAllString(table[key], "")
			if len(value) < shortest || strings.Contains(value, "${") || !secretName.MatchString(key) && !secretValue.MatchString(value) {
				continue
			}
			name := proposedName(s.Name, key)
			for taken[name] {
				name += "_2"
			}
			taken[name] = true
			list = append(list, Plain{Where: where, Key: key, Name: name, Value: value})
		}
	}
	look("env", s.Env)
	look("header", s.Headers)
	return list
}

// Hide replaces the value of p by a placeholder.
func (s Server) Hide(p Plain) {
	table := s.Env
	if p.Where == "header" {
		table = s.Headers
	}
	table[p.Key] = strings.Replace(table[p.Key], p.Value, "${keyring:"+p.Name+"}", 1)
}

var notWord = regexp.MustCompile(`[^a-z0-9]+`)

// proposedName is like github_token: the server's name where the key does not
// say it.
func proposedName(server, key string) string {
	server = strings.Trim(notWord.ReplaceAllString(strings.ToLower(server), "_"), "_")
	key = strings.Trim(notWord.ReplaceAllString(strings.ToLower(key), "_"), "_")
	if server == "" || strings.HasPrefix(key, server) {
		return key
	}
	return server + "_" + key
}
