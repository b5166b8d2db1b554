package schema

import (
	"github.com/vektah/gqlparser/v2/ast"

	"usher/value"
)

// jsonPaths is a condition on what a JSON value holds at a path.
func (b *Builder) jsonPaths() *shared {
	return b.share(ast.InputObject, "JSONPathWhere", "A value inside JSON. One of another type than it is compared with counts as null.", func(s *shared) {
		s.add(b.field("at", "String!", "Members and positions, such as a.b[0] or \"a name\"[2].c; other names than of letters, digits, _ and - stand in quotes."))
		s.add(b.field("exists", "Boolean", "Something is there, if only null."))
		s.add(b.field("isNull", "Boolean", "It is null or not there."))
		for _, as := range []struct {
			name string
			typ  value.Scalar
		}{{"text", value.String}, {"number", value.Decimal}, {"boolean", value.Boolean}} {
			filter := b.filter(value.Of(as.typ))
			s.add(b.field(as.name, filter.def.Name, ""), filter)
		}
	})
}
