package schema_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/catalog"
	"usher/principal"
	"usher/schema"
)

// Whatever somebody meets in their schema says what it is, to every kind of
// caller: types, fields, arguments, members of inputs, values of enums. Scalars
// say where they are specified.
func TestEverythingIsDescribed(t *testing.T) {
	t.Parallel()
	for name, cat := range map[string]*catalog.Catalog{"shop": compile(t, shop(), nil), "odd": odd(t)} {
		view, err := cat.View(principal.Principal{AllTenants: true})
		if err != nil {
			t.Fatal(err)
		}
		b, err := schema.NewBuilder(schema.Administration)
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]bool)
		say := func(where, description string) {
			if strings.TrimSpace(description) == "" && !seen[where] {
				seen[where] = true
				t.Errorf("%s: %s has no description", name, where)
			}
		}
		for a := schema.Anonymous; a <= 2*schema.Operator-1; a++ {
			s, err := b.Build(view, a)
			if err != nil {
				continue // of nobody
			}
			for _, def := range s.AST.Types {
				if strings.HasPrefix(def.Name, "__") {
					continue
				}
				say(def.Name, def.Description)
				for _, f := range def.Fields {
					if strings.HasPrefix(f.Name, "__") {
						continue
					}
					say(def.Name+"."+f.Name, f.Description)
					for _, arg := range f.Arguments {
						say(def.Name+"."+f.Name+"("+arg.Name+":)", arg.Description)
					}
				}
				for _, v := range def.EnumValues {
					say(def.Name+"."+v.Name, v.Description)
				}
				specified(t, def)
			}
		}
	}
}

func specified(t *testing.T, def *ast.Definition) {
	t.Helper()
	if def.Kind != ast.Scalar {
		return
	}
	switch def.Name {
	case "Int", "Float", "String", "Boolean", "ID":
		return
	}
	d := def.Directives.ForName("specifiedBy")
	if d == nil {
		t.Errorf("the scalar %s does not say where it is specified", def.Name)
		return
	}
	if u, err := url.Parse(d.Arguments.ForName("url").Value.Raw); err != nil || u.Host == "" && u.Fragment == "" {
		t.Errorf("the scalar %s is specified at %s", def.Name, d.Arguments.ForName("url").Value.Raw)
	}
}
