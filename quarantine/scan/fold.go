package scan

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold returns text as rules read it: small letters in their plain form (NFKC),
// accents of Latin letters dropped, characters that are drawn as nothing left
// out, and look-alikes of Latin letters replaced in words that are meant to be
// Latin (Unicode Technical Standard 39 has the letters).
func fold(text string) string {
	if plain, ok := foldASCII(text); ok {
		return plain
	}
	text = norm.NFKD.String(strings.ToValidUTF8(text, "?"))
	var b strings.Builder
	b.Grow(len(text))
	latin := false
	for _, r := range text {
		switch {
		case hidden(r):
			continue
		case latin && r >= 0x300 && r <= 0x36F:
			continue
		case r >= 0x64B && r <= 0x655 || r == 0x93C: // vowel signs of Arabic, the dot of Hindi
			continue
		case r == '’' || r == 'ʼ' || r == '‘':
			r = '\''
		}
		latin = unicode.Is(unicode.Latin, r) || unicode.Is(unicode.Cyrillic, r)
		b.WriteRune(unicode.ToLower(r))
	}
	return unmix(norm.NFC.String(b.String()))
}

// foldASCII is fold for text that is all ASCII, as most is.
func foldASCII(text string) (string, bool) {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return "", false
		}
	}
	return strings.ToLower(text), true
}

// hidden reports characters that are drawn as nothing.
func hidden(r rune) bool {
	return r >= 0xAD && (r == 0xAD || r == 0x034F || r == 0x115F || r == 0x1160 || r == 0x3164 || unicode.In(r, unicode.Cf, unicode.Variation_Selector))
}

// lookAlikes are small letters of other scripts that are drawn like Latin ones.
var lookAlikes = map[rune]rune{'а': 'a', 'е': 'e', 'о': 'o', 'р': 'p', 'с': 'c', 'х': 'x', 'у': 'y', 'і': 'i', 'ј': 'j', 'ѕ': 's', 'һ': 'h', 'ԁ': 'd', 'ԛ': 'q', 'ԝ': 'w',
	'к': 'k', 'м': 'm', 'т': 't', 'в': 'b', 'н': 'h', 'п': 'n', 'г': 'r', 'ь': 'b', 'ӏ': 'l', 'ѵ': 'v', 'ґ': 'r', 'α': 'a', 'ο': 'o', 'ε': 'e', 'ρ': 'p', 'ι': 'i', 'ν': 'v', 'τ': 't', 'υ': 'u', 'κ': 'k', 'η': 'n', 'χ': 'x',
	'ɡ': 'g', 'ı': 'i', 'ո': 'n', 'ս': 'u', 'օ': 'o', 'հ': 'h', 'ց': 'g', 'զ': 'q', 'ѡ': 'w', 'ꭱ': 'r', 'ꮪ': 's', 'ꭲ': 't', 'ꭰ': 'd', 'ꭺ': 'a', 'ꮯ': 'c', 'ꭼ': 'e', 'ᴀ': 'a', 'ʙ': 'b', 'ᴄ': 'c', 'ᴅ': 'd', 'ᴇ': 'e', 'ꜰ': 'f', 'ɢ': 'g', 'ʜ': 'h', 'ɪ': 'i', 'ᴊ': 'j', 'ᴋ': 'k', 'ʟ': 'l',
	'ᴍ': 'm', 'ɴ': 'n', 'ᴏ': 'o', 'ᴘ': 'p', 'ʀ': 'r', 'ꜱ': 's', 'ᴛ': 't', 'ᴜ': 'u', 'ᴠ': 'v', 'ᴡ': 'w', 'ʏ': 'y', 'ᴢ': 'z', 'ɑ': 'a', 'ɩ': 'i', 'ⅼ': 'l'}

// unmix replaces look-alikes in words that hold Latin letters, and in words of
// nothing but look-alikes where the text is mostly Latin.
func unmix(text string) string {
	latin, alike, foreign := 0, 0, 0
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
			if r >= 'a' && r <= 'z' {
				latin++
			}
		case lookAlikes[r] != 0:
			alike++
		case unicode.IsLetter(r):
			foreign++
		}
	}
	if alike == 0 || latin == 0 {
		return text
	}
	mostly := latin+alike > 10*foreign
	var b strings.Builder
	for rest := text; rest != ""; {
		end := strings.IndexFunc(rest, func(r rune) bool { return !wordRune(r) })
		if end < 0 {
			end = len(rest)
		}
		b.WriteString(unmixWord(rest[:end], mostly))
		next := strings.IndexFunc(rest[end:], wordRune)
		if next < 0 {
			next = len(rest) - end
		}
		b.WriteString(rest[end : end+next])
		rest = rest[end+next:]
	}
	return b.String()
}

func unmixWord(word string, mostlyLatin bool) string {
	like, foreign, latin := 0, 0, 0
	for _, r := range word {
		switch {
		case r < utf8.RuneSelf:
			latin++
		case lookAlikes[r] != 0:
			like++
		default:
			foreign++
		}
	}
	if like == 0 || foreign > 0 || latin == 0 && !mostlyLatin {
		return word
	}
	return strings.Map(func(r rune) rune {
		if as := lookAlikes[r]; as != 0 {
			return as
		}
		return r
	}, word)
}
