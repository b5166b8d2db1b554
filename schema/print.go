package schema

import (
	"strings"

	"github.com/vektah/gqlparser/v2/formatter"
)

// SDL is the schema as text, in a stable order, for code generators and
// people. It holds what the view shows and nothing else.
func (s *Schema) SDL() string {
	var out strings.Builder
	formatter.NewFormatter(&out, formatter.WithIndent("  ")).FormatSchema(s.AST)
	return out.String()
}
