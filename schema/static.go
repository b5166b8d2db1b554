package schema

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

//go:embed *.graphqls
var files embed.FS

// Part is a part of the control plane that not every gateway has.
type Part string

// Administration is what needs a control store: tenants, tokens, users, logins.
const Administration Part = "admin.graphqls"

// sharedFile has the types that datasets are made of.
const sharedFile = "scalars.graphqls"

// loadStatic reads the control plane, of its optional parts those named, and
// the scalars.
func loadStatic(parts []Part) (*ast.Schema, error) {
	names, err := fs.Glob(files, "*.graphqls")
	if err != nil {
		return nil, fmt.Errorf("list the schema files: %w", err)
	}
	sources := []*ast.Source{validator.Prelude}
	for _, name := range names {
		if name == string(Administration) && !slices.Contains(parts, Administration) {
			continue
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read the schema file %s: %w", name, err)
		}
		sources = append(sources, &ast.Source{Name: name, Input: string(text)})
	}
	if slices.Contains(parts, Relay) {
		sources = append(sources, &ast.Source{Name: string(Relay), Input: relay})
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
