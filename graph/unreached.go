package graph

import (
	"strings"

	"usher/catalog"
	"usher/fault"
)

// awaits tells whether a text that does not fit the schema speaks of what is not
// known: fields that only a source can say, which has not been reached, or of a
// dataset that does not fit. It may later; what is said until then is returned. The
// text is not parsed, so a word in a string counts too.
func awaits(cat *catalog.Catalog, text string) (refusal *fault.Error) {
	mentions(text, func(word string) bool {
		for _, suffix := range []string{"", "ByPk", "Connection", "Aggregate"} {
			if name, ok := strings.CutSuffix(word, suffix); ok && cat.Unreached.Concerns(name) {
				refusal = cat.Unreached.Refusal(name)
				return true
			}
		}
		return false
	})
	return refusal
}

// mentions tells whether a word of the text is one of those.
func mentions(text string, is func(word string) bool) bool {
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		if is(word) {
			return true
		}
	}
	return false
}
