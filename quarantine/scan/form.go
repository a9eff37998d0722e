package scan

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// form is one way to read a text.
type form struct {
	text      string // folded
	sentences []sentence
	purpose   int // where it begins to list parameters
	first     int // the number of the first sentence within the definition, from 1
}

// maxForms caps how many ways a text is read.
const maxForms = 8

// forms returns the ways to read a field: as it is written, and then what else it
// may be meant to be read as, where that differs.
func forms(f *field, own vocabulary) []form {
	plain := fold(f.text)
	if f.kind == nameText {
		plain = fold(spread(f.text))
	}
	texts := []string{plain}
	add := func(s string) {
		for _, have := range texts {
			if have == s {
				return
			}
		}
		if s != "" && len(texts) < maxForms {
			texts = append(texts, s)
		}
	}
	for _, s := range disguised(f.text, plain) {
		add(s)
	}
	list := make([]form, len(texts))
	for i, s := range texts {
		list[i] = form{text: s, purpose: beforeParameters(s), sentences: sentences(s, f.text, own)}
	}
	return list
}

// spread writes the words of a name apart: "chatHistory" and "chat_history".
func spread(name string) string {
	var b strings.Builder
	prev := rune(0)
	for _, r := range name {
		switch {
		case r == '_' || r == '-' || r == '.':
			r = ' '
		case unicode.IsUpper(r) && unicode.IsLower(prev):
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		prev = r
	}
	return b.String()
}

// disguised returns other readings of text, folded; plain is the usual one.
func disguised(text, plain string) (list []string) {
	if looksLeet(plain) {
		list = append(list, leet(plain))
	}
	if s := spacedLetters.ReplaceAllStringFunc(plain, join); s != plain {
		list = append(list, s)
	}
	if strings.ContainsRune(text, '&') && strings.ContainsRune(text, ';') {
		list = append(list, fold(html.UnescapeString(html.UnescapeString(text))))
	}
	if strings.Count(text, "%") > 2 {
		if s, err := url.PathUnescape(text); err == nil {
			list = append(list, fold(s))
		}
	}
	if strings.Count(text, `\`) > 3 {
		list = append(list, fold(escapes.ReplaceAllStringFunc(text, unescape)))
	}
	if s := tagged(text); s != "" {
		list = append(list, fold(s))
	}
	for _, s := range decoded(text) {
		list = append(list, fold(s))
	}
	return list
}

// tagged returns what tag characters and variation selectors spell.
func tagged(text string) string {
	if !strings.Contains(text, "\xF3\xA0") {
		return ""
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0xE0020 && r <= 0xE007E:
			return r - 0xE0000
		case r >= 0xE0100 && r <= 0xE01EF:
			return r - 0xE0100 + 16
		}
		return -1
	}, text)
}

var leetDigit = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "+", "t", "!", "i", "8", "b", "|", "l")

// wordWithDigits is a word that is written with digits or signs inside of it.
var wordWithDigits = regexp.MustCompile(`[a-z0-9@$+!|]*[a-z][a-z0-9@$+!|]*[0-9@$+!|][a-z0-9@$+!|]*|[0-9@$+!|]+[a-z][a-z0-9@$+!|]*`)

// looksLeet reports a text in which several words hold digits between letters.
func looksLeet(plain string) bool {
	count := 0
	for i := 1; i < len(plain); i++ {
		letter := plain[i] >= 'a' && plain[i] <= 'z'
		if digit := plain[i-1]; letter && strings.IndexByte("013457@$+!8|", digit) >= 0 {
			if count++; count > 2 {
				return true
			}
		}
	}
	return false
}

// leet reads digits as letters inside of words that have letters too, and in
// words of nothing but such digits beside them.
func leet(s string) string {
	s = wordWithDigits.ReplaceAllStringFunc(s, leetDigit.Replace)
	return loneLeet.ReplaceAllStringFunc(s, leetDigit.Replace)
}

var loneLeet = regexp.MustCompile(`\b[013457]{2,4}\b`)

// join writes letters together that stand apart: "i g n o r e".
func join(w string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, w) + " "
}

var spacedLetters = regexp.MustCompile(`\b(?:[a-z][ .\-_*]){4,}[a-z]\b`)

var escapes = regexp.MustCompile(`\\u\{?[0-9a-fA-F]{4,6}\}?|\\x[0-9a-fA-F]{2}|\\[0-7]{3}`)

func unescape(s string) string {
	base := 16
	if s[1] != 'u' && s[1] != 'x' {
		base = 8
	}
	n, err := strconv.ParseUint(strings.Trim(s, `\ux{}`), base, 21)
	if err != nil {
		return s
	}
	return string(rune(n))
}

var (
	base64Run = regexp.MustCompile(`[A-Za-z0-9+/_-]{20,}={0,2}`)
	hexRun    = regexp.MustCompile(`(?:(?:\\x|0x|%)?[0-9a-fA-F]{2}[ ,:]?){12,}`)
	base32Run = regexp.MustCompile(`\b[A-Z2-7]{24,}={0,6}`)
	codeRun   = regexp.MustCompile(`(?:\b\d{2,3}\b[ ,;]{1,2}){11,}\d{2,3}\b`)
	bitRun    = regexp.MustCompile(`(?:[01]{8}[ ,]?){10,}`)
)

// longRun reports whether text has a run that could be encoded at all: this many
// bytes without a space, or of digits.
func longRun(text string) bool {
	run, digits := 0, 0
	for i := range len(text) {
		c := text[i]
		run++
		digits++
		if c <= ' ' || c >= utf8.RuneSelf {
			run = 0
		}
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') && strings.IndexByte(" ,:;x%\\", c) < 0 {
			digits = 0
		}
		if run >= 20 || digits >= 24 {
			return true
		}
	}
	return false
}

// decoded returns what runs of base64, base32, hex, decimal codes and bits in
// text say, where that is words.
func decoded(text string) []string {
	if !longRun(text) {
		return nil
	}
	var list []string
	add := func(b []byte, err error) bool {
		if err == nil && isWords(b) {
			list = append(list, string(b))
			return true
		}
		return false
	}
	for _, run := range base64Run.FindAllString(text, 20) {
		run = strings.TrimRight(run, "=")
		if !add(base64.RawStdEncoding.DecodeString(run)) {
			add(base64.RawURLEncoding.DecodeString(run))
		}
	}
	for _, run := range hexRun.FindAllString(text, 20) {
		digits := strings.NewReplacer(`\x`, "", "0x", "", "%", "", " ", "", ",", "", ":", "").Replace(run)
		add(hex.DecodeString(digits[:len(digits)&^1]))
	}
	for _, run := range base32Run.FindAllString(text, 20) {
		run = strings.TrimRight(run, "=")
		add(base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(run))
	}
	for _, run := range codeRun.FindAllString(text, 5) {
		add(codes(run, 10))
	}
	for _, run := range bitRun.FindAllString(text, 5) {
		add(codes(run, 2))
	}
	return list
}

// codes reads numbers of a base, eight digits each for base 2, as bytes.
func codes(run string, base int) ([]byte, error) {
	var b []byte
	for _, s := range strings.FieldsFunc(run, func(r rune) bool { return r < '0' || r > '9' }) {
		for s != "" {
			cut := len(s)
			if base == 2 {
				cut = min(8, cut)
			}
			n, err := strconv.ParseUint(s[:cut], base, 8)
			if err != nil {
				return nil, err
			}
			b, s = append(b, byte(n)), s[cut:]
		}
	}
	return b, nil
}

// isWords reports text with spaces that is printed as it is.
func isWords(b []byte) bool {
	if len(b) < 10 || !utf8.Valid(b) || !strings.Contains(string(b), " ") {
		return false
	}
	return strings.IndexFunc(string(b), func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' }) < 0
}
