package scan

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// latin undoes letters that look like Latin ones; see Unicode Technical Standard
// 39. After lower-casing.
var latin = strings.NewReplacer("а", "a", "е", "e", "о", "o", "р", "p", "с", "c", "х", "x", "у", "y", "і", "i", "ј", "j", "ѕ", "s", "һ", "h", "ԁ", "d",
	"к", "k", "м", "m", "т", "t", "в", "b", "н", "h", "α", "a", "ο", "o", "ε", "e", "ρ", "p", "ι", "i", "ν", "v", "τ", "t", "υ", "u", "κ", "k",
	"ɡ", "g", "ⅼ", "l", "ո", "n", "ѡ", "w")

var leetDigit = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s")

// forms returns the texts that rules read: the plain one first, in small
// letters, then what else the text may be meant to be read as.
func forms(text string) []string {
	plain := strings.ToLower(norm.NFKC.String(strings.ToValidUTF8(text, "?")))
	list := []string{plain}
	add := func(s string) {
		for _, have := range list {
			if have == s {
				return
			}
		}
		list = append(list, s)
	}
	visible := latin.Replace(strings.Map(func(r rune) rune {
		if hidden(r) {
			return -1
		}
		return r
	}, plain))
	if hasLatin(plain) {
		add(visible)
	}
	if strings.ContainsAny(visible, "013457@$") {
		add(leet(visible))
	}
	if strings.ContainsRune(plain, '&') {
		add(html.UnescapeString(plain))
	}
	if strings.ContainsRune(plain, '%') {
		if s, err := url.QueryUnescape(plain); err == nil {
			add(strings.ToLower(s))
		}
	}
	if spaced := unspace(visible); spaced != visible {
		add(spaced)
	}
	for _, s := range decoded(text) {
		add(strings.ToLower(s))
	}
	return list
}

func hasLatin(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 'a' && r <= 'z' }) >= 0
}

// hidden reports characters that are drawn as nothing.
func hidden(r rune) bool {
	return r == 0xAD || unicode.In(r, unicode.Cf, unicode.Variation_Selector) || r == 0x034F || r == 0x115F || r == 0x1160 || r == 0x3164
}

// leet reads digits as letters inside of words that have letters too.
func leet(s string) string {
	return wordWithDigits.ReplaceAllStringFunc(s, func(w string) string {
		if !hasLatin(w) {
			return w
		}
		return leetDigit.Replace(w)
	})
}

var wordWithDigits = regexp.MustCompile(`[a-z0-9@$]{3,}`)

// unspace joins letters that are written apart: "i g n o r e" or "i.g.n.o.r.e".
func unspace(s string) string {
	return spacedLetters.ReplaceAllStringFunc(s, func(w string) string {
		return strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' {
				return r
			}
			return -1
		}, w) + " "
	})
}

var spacedLetters = regexp.MustCompile(`\b(?:[a-z][ .\-_*]){4,}[a-z]\b`)

var (
	base64Run = regexp.MustCompile(`[A-Za-z0-9+/_-]{20,}={0,2}`)
	hexRun    = regexp.MustCompile(`(?:(?:\\x|0x|%)?[0-9a-fA-F]{2}[ ,]?){12,}`)
)

// decoded returns what runs of base64 and hex in text say, where that is words.
func decoded(text string) []string {
	var list []string
	for _, run := range base64Run.FindAllString(text, 20) {
		run = strings.TrimRight(run, "=")
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if b, err := enc.DecodeString(run); err == nil && isWords(b) {
				list = append(list, string(b))
				break
			}
		}
	}
	for _, run := range hexRun.FindAllString(text, 20) {
		digits := strings.NewReplacer(`\x`, "", "0x", "", "%", "", " ", "", ",", "").Replace(run)
		if b, err := hex.DecodeString(digits[:len(digits)&^1]); err == nil && isWords(b) {
			list = append(list, string(b))
		}
	}
	return list
}

// isWords reports text with spaces that is printed as it is.
func isWords(b []byte) bool {
	if len(b) < 10 || !utf8.Valid(b) || !strings.Contains(string(b), " ") {
		return false
	}
	return strings.IndexFunc(string(b), func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' }) < 0
}
