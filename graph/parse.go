package graph

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// parse reads a document. What the specification says of escapes in strings is
// usher's: the library knows four digits only and takes halves of surrogate
// pairs, and pairs too, for the replacement character, so that different texts
// would read the same.
func parse(text string, tokens int) (*ast.QueryDocument, error) {
	if !utf8.ValidString(text) {
		return nil, &gqlerror.Error{Message: "The document is not Unicode."}
	}
	text, err := plainEscapes(text)
	if err != nil {
		return nil, err
	}
	return parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, tokens)
}

// plainEscapes writes the escapes of characters beyond four digits as these
// characters, and \u{…} of others as \u with four digits. What is no character
// is an error. Comments and block strings have no escapes.
func plainEscapes(text string) (string, error) {
	if !strings.Contains(text, `\u`) {
		return text, nil
	}
	var out strings.Builder
	done := 0 // bytes that are in out
	for at := 0; at < len(text); {
		switch rest := text[at:]; {
		case rest[0] == '#':
			at += untilAny(rest, "\r\n")
		case strings.HasPrefix(rest, `"""`):
			at += blockString(rest)
		case rest[0] == '"':
			at++
			for at < len(text) && text[at] != '"' && text[at] != '\n' && text[at] != '\r' {
				if text[at] != '\\' {
					at++
					continue
				}
				char, length := escape(text[at:])
				switch {
				case length == 0:
					return "", noCharacter(text, at)
				case char >= 0:
					out.WriteString(text[done:at])
					if char > 0xffff {
						out.WriteRune(char)
					} else {
						fmt.Fprintf(&out, `\u%04x`, char)
					}
					done = at + length
				}
				at += length
			}
			at++
		default:
			at++
		}
	}
	out.WriteString(text[min(done, len(text)):])
	return out.String(), nil
}

func untilAny(text, chars string) int {
	if i := strings.IndexAny(text, chars); i >= 0 {
		return i
	}
	return len(text)
}

// blockString is the length of the block string that a text begins with. Its
// last three quotes end it.
func blockString(text string) int {
	for at := 3; at < len(text); {
		switch rest := text[at:]; {
		case strings.HasPrefix(rest, `\"""`):
			at += 4
		case strings.HasPrefix(rest, `"""`):
			return at + len(rest) - len(strings.TrimLeft(rest, `"`))
		default:
			at++
		}
	}
	return len(text)
}

// escape reads an escape. Char is -1 for one that the parser reads, or refuses,
// by itself; length is 0 for one of no character.
func escape(text string) (char rune, length int) {
	if digits, ok := strings.CutPrefix(text, `\u{`); ok {
		end := strings.IndexByte(digits, '}')
		if end < 0 {
			return 0, 0
		}
		code, err := strconv.ParseUint(digits[:end], 16, 32)
		if err != nil || !utf8.ValidRune(rune(min(code, utf8.MaxRune+1))) {
			return 0, 0
		}
		return rune(code), len(`\u{}`) + end
	}
	first, ok := unit(text)
	if !ok {
		return -1, min(2, len(text))
	}
	if !utf16.IsSurrogate(first) {
		return -1, len(`\u0000`)
	}
	second, _ := unit(text[len(`\u0000`):])
	if char = utf16.DecodeRune(first, second); char == utf8.RuneError {
		return 0, 0
	}
	return char, 2 * len(`\u0000`)
}

// unit reads \u and four digits.
func unit(text string) (rune, bool) {
	if len(text) < len(`\u0000`) || text[:2] != `\u` {
		return 0, false
	}
	code, err := strconv.ParseUint(text[2:len(`\u0000`)], 16, 16)
	return rune(code), err == nil
}

func noCharacter(text string, at int) error {
	before := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text[:at])
	line := strings.LastIndexByte(before, '\n') + 1
	return &gqlerror.Error{
		Message:   "Invalid Unicode escape sequence: it is no character.",
		Locations: []gqlerror.Location{{Line: strings.Count(before, "\n") + 1, Column: utf8.RuneCountInString(before[line:]) + 1}},
	}
}
