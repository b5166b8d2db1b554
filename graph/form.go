package graph

import (
	"strings"
	"unicode/utf8"
)

// form is a document's text with its numbers and strings cut out. Texts of one form
// are read as the same tokens, but for what was cut out of them.
type form struct {
	text string   // what is left: a NUL and a letter stand for each literal, which no document has
	cut  []string // what was cut out, strings without their quotes
}

// formOf cuts the literals out of a text. It is false for a text that holds none, and
// for one that takes more than a glance: escapes, block strings, other characters
// than ASCII outside of strings and comments, and what is no document. It asks less
// than the parser does, so a form says nothing until a text of it was parsed.
func formOf(text string) (f form, ok bool) {
	if strings.ContainsAny(text, "\\\x00") || strings.Contains(text, `"""`) || !utf8.ValidString(text) {
		return f, false
	}
	left := make([]byte, 0, len(text)+32)
	done := 0 // bytes that are in left
	take := func(begin, end int, literal string, kind byte) {
		left = append(append(left, text[done:begin]...), 0, kind)
		f.cut = append(f.cut, literal)
		done = end
	}
	for at := 0; at < len(text); {
		switch c := text[at]; {
		case c == '#':
			at += untilAny(text[at:], "\r\n")
		case c == '"':
			end := at + 1 + untilAny(text[at+1:], "\"\r\n")
			if end == len(text) || text[end] != '"' || strings.ContainsFunc(text[at:end], isControl) {
				return f, false
			}
			take(at, end+1, text[at+1:end], 's')
			at = end + 1
		case c == '-' || isDigit(c):
			length, kind := number(text[at:])
			if length == 0 {
				return f, false
			}
			take(at, at+length, text[at:at+length], kind)
			at += length
		case isLetter(c):
			for at < len(text) && (isLetter(text[at]) || isDigit(text[at])) {
				at++
			}
		case c >= utf8.RuneSelf:
			return f, false
		default:
			at++
		}
	}
	f.text = string(append(left, text[done:]...))
	return f, len(f.cut) > 0
}

// isControl tells what no string holds.
func isControl(r rune) bool { return r < ' ' && r != '\t' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }

// number is the length of the number that a text begins with and which kind it is of,
// or nothing where it is not one that ends before the next token.
func number(text string) (length int, kind byte) {
	at := 0
	digits := func() int {
		from := at
		for at < len(text) && isDigit(text[at]) {
			at++
		}
		return at - from
	}
	kind = 'i'
	if text[at] == '-' {
		at++
	}
	zero := at < len(text) && text[at] == '0'
	if n := digits(); n == 0 || zero && n > 1 {
		return 0, 0
	}
	if at < len(text) && text[at] == '.' {
		at, kind = at+1, 'f'
		if digits() == 0 {
			return 0, 0
		}
	}
	if at < len(text) && text[at]|0x20 == 'e' {
		at, kind = at+1, 'f'
		if at < len(text) && (text[at] == '+' || text[at] == '-') {
			at++
		}
		if digits() == 0 {
			return 0, 0
		}
	}
	if at < len(text) && strings.IndexByte(" \t\r\n,)]}", text[at]) < 0 {
		return 0, 0
	}
	return at, kind
}
