package query

import (
	"slices"
	"strings"
)

// HoldsNUL tells whether a text or a name in the value has the character that no
// store keeps and no store can be asked for.
func HoldsNUL(v Value) bool {
	switch v := v.(type) {
	case Text:
		return strings.IndexByte(string(v), 0) >= 0
	case List:
		return slices.ContainsFunc(v, HoldsNUL)
	case Object:
		return slices.ContainsFunc(v, func(m Member) bool { return strings.IndexByte(m.Name, 0) >= 0 || HoldsNUL(m.Value) })
	}
	return false
}
