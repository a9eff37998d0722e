package quarantine

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// launchFormula is the version of what a [Launch] covers. It is stored with every
// record, so that an identity of an earlier one is compared by what that covered
// and then takes the rest as it is: an upgrade holds nobody. 2 added References
// and Isolation.
const launchFormula = 2

// Launch is the identity that an approval of a server is bound to: what would
// run, or what would be contacted. Values of env and headers are not part of it,
// but which secrets they ask for is.
type Launch struct {
	Transport   string   `json:"transport"`
	Command     string   `json:"command,omitempty"`
	Args        []string `json:"args,omitempty"` // as configured, placeholders unexpanded
	WorkingDir  string   `json:"working_dir,omitempty"`
	EnvNames    []string `json:"env_names,omitempty"`
	URL         string   `json:"url,omitempty"`
	HeaderNames []string `json:"header_names,omitempty"`
	// References are the secrets that the server is given and where: "env NAME
	// ${keyring:x}", "header NAME ${env:X}".
	References []string `json:"references,omitempty"`
	// Isolation says in words behind which walls the server runs: its image and
	// what of the host it reaches. Empty is the host itself.
	Isolation string `json:"isolation,omitempty"`
	// ImageID is the image that its name stood for when it was last looked for.
	// Empty is not known, and no difference.
	ImageID string `json:"image_id,omitempty"`
	// Issuer is the authorization server that the login at a remote server is from.
	// Empty is not known, and no difference.
	Issuer string `json:"issuer,omitempty"`
}

// Normal returns a copy of l with its name lists sorted, so that equal
// identities are equal field by field.
func (l Launch) Normal() Launch {
	l.Args = slices.Clone(l.Args)
	l.EnvNames = slices.Sorted(slices.Values(l.EnvNames))
	l.HeaderNames = slices.Sorted(slices.Values(l.HeaderNames))
	l.References = slices.Sorted(slices.Values(l.References))
	return l
}

// by returns l as an earlier formula saw it.
func (l Launch) by(formula int) Launch {
	if formula < 2 {
		l.References, l.Isolation = nil, ""
	}
	return l
}

// equal reports whether two normal identities are the same.
func (l Launch) equal(o Launch) bool {
	return l.Transport == o.Transport && l.Command == o.Command && slices.Equal(l.Args, o.Args) &&
		l.WorkingDir == o.WorkingDir && slices.Equal(l.EnvNames, o.EnvNames) &&
		l.URL == o.URL && slices.Equal(l.HeaderNames, o.HeaderNames) && l.Isolation == o.Isolation &&
		slices.Equal(l.References, o.References) &&
		(l.ImageID == o.ImageID || l.ImageID == "" || o.ImageID == "") &&
		(l.Issuer == o.Issuer || l.Issuer == "" || o.Issuer == "")
}

// same is equal for identities that also know as much.
func (l Launch) same(o Launch) bool {
	return l.equal(o) && l.ImageID == o.ImageID && l.Issuer == o.Issuer
}

// learn returns l with what only o knows.
func (l Launch) learn(o Launch) Launch {
	l.ImageID, l.Issuer = cmp.Or(l.ImageID, o.ImageID), cmp.Or(l.Issuer, o.Issuer)
	return l
}

// difference says in plain words what changed from l to o. Arguments and the
// path of a URL may hold secrets and are not quoted; a reviewer sees them on
// the [Page].
func (l Launch) difference(o Launch) string {
	var parts []string
	say := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if l.Transport != o.Transport {
		say("transport was %q, now %q", l.Transport, o.Transport)
	}
	if l.Command != o.Command {
		say("command was %q, now %q", l.Command, o.Command)
	}
	if !slices.Equal(l.Args, o.Args) {
		say("arguments differ (%s)", argsDifference(l.Args, o.Args))
	}
	if l.WorkingDir != o.WorkingDir {
		say("working directory was %q, now %q", l.WorkingDir, o.WorkingDir)
	}
	if l.URL != o.URL {
		if was, now := origin(l.URL), origin(o.URL); was != now {
			say("url was at %q, now at %q", was, now)
		} else {
			say("url differs after %q", was)
		}
	}
	if text := namesDifference(l.EnvNames, o.EnvNames); text != "" {
		say("env names %s", text)
	}
	if text := namesDifference(l.HeaderNames, o.HeaderNames); text != "" {
		say("header names %s", text)
	}
	if text := namesDifference(l.References, o.References); text != "" {
		say("secrets %s", text)
	}
	if l.Isolation != o.Isolation {
		say("isolation was %q, now %q", cmp.Or(l.Isolation, "none"), cmp.Or(o.Isolation, "none"))
	} else if l.ImageID != o.ImageID && l.ImageID != "" && o.ImageID != "" {
		say("the image of that name was %s, now %s", shortID(l.ImageID), shortID(o.ImageID))
	}
	if l.Issuer != o.Issuer && l.Issuer != "" && o.Issuer != "" {
		say("its login was from %q, now from %q", l.Issuer, o.Issuer)
	}
	return strings.Join(parts, "; ")
}

// shortID is an image id as docker lists it.
func shortID(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return fmt.Sprintf("%.12q", id)
}

func argsDifference(was, now []string) string {
	if len(was) != len(now) {
		return fmt.Sprintf("were %d, now %d", len(was), len(now))
	}
	for i := range was {
		if was[i] != now[i] {
			return fmt.Sprintf("first in number %d", i+1)
		}
	}
	return "same"
}

// origin returns scheme and host of a URL, which are never secret.
func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "an unreadable url"
	}
	return u.Scheme + "://" + u.Host
}

func namesDifference(was, now []string) string {
	var parts []string
	for _, name := range now {
		if !slices.Contains(was, name) {
			parts = append(parts, fmt.Sprintf("+%q", name))
		}
	}
	for _, name := range was {
		if !slices.Contains(now, name) {
			parts = append(parts, fmt.Sprintf("-%q", name))
		}
	}
	return strings.Join(parts, " ")
}
