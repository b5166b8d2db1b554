package schema

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

//go:embed *.graphqls
var files embed.FS

// loadStatic reads the control plane and the scalars.
func loadStatic() (*ast.Schema, error) {
	names, err := fs.Glob(files, "*.graphqls")
	if err != nil {
		return nil, fmt.Errorf("list the schema files: %w", err)
	}
	sources := []*ast.Source{validator.Prelude}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read the schema file %s: %w", name, err)
		}
		sources = append(sources, &ast.Source{Name: name, Input: string(text)})
	}
	s, err := validator.LoadSchema(sources...)
	if err != nil {
		return nil, fmt.Errorf("the control plane's schema: %w", err)
	}
	// Answers come in one piece; a fragment that asks for more of them is
	// refused as an unknown directive instead of losing its fields.
	delete(s.Directives, "defer")
	return s, nil
}
