package resolvers

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/principal"
	"usher/schema"
)

// writtenField is a field as it is written, its arguments to be put in.
type writtenField struct {
	field *ast.FieldDefinition
	text  func(arguments string) string
}

// everyField are the fields with arguments that lead to rows or groups, each in
// a document that has it once.
func everyField(s *schema.Schema) (all []writtenField) {
	var visit func(def *ast.Definition, depth int, wrap func(string) string)
	selection := func(t *ast.Type) string {
		def := s.AST.Types[t.Name()]
		switch {
		case def.Kind != ast.Object:
			return ""
		case strings.HasSuffix(def.Name, "Connection"):
			return " { nodes { __typename } totalCount }"
		case strings.HasSuffix(def.Name, "Key") || def.Fields.ForName("count") == nil:
			return " { __typename }"
		}
		return " { count }"
	}
	visit = func(def *ast.Definition, depth int, wrap func(string) string) {
		for _, f := range def.Fields {
			required := ""
			for _, arg := range f.Arguments {
				if arg.Type.NonNull {
					required += arg.Name + ": " + map[string]string{"BigInt": "1", "Float": "0.5", "String": `"id"`}[arg.Type.Name()] + " "
				}
			}
			written := func(arguments, selection string) string {
				if arguments = required + arguments; arguments != "" {
					arguments = "(" + arguments + ")"
				}
				return wrap(f.Name + arguments + selection)
			}
			if len(f.Arguments) > 0 {
				all = append(all, writtenField{f, func(arguments string) string { return written(arguments, selection(f.Type)) }})
			}
			if inner := s.AST.Types[f.Type.Name()]; inner.Kind == ast.Object && depth > 0 && f.Name != "previous" {
				visit(inner, depth-1, func(text string) string { return written("", " { "+text+" }") })
			}
		}
	}
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range s.Roots {
			if !yield(name) {
				return
			}
		}
	}) {
		root := *s.AST.Query
		root.Fields = ast.FieldList{s.AST.Query.Fields.ForName(name)}
		visit(&root, 3, func(text string) string { return "{ " + text + " }" })
	}
	return all
}

// Clients send null for what they do not use: Relay and urql do for after. It is
// as if it were left out, whatever the argument, but for conditions: without
// them more would be shown.
func TestNullArguments(t *testing.T) {
	t.Parallel()
	s := openShop(t, false)
	view, err := s.catalog.View(principal.Principal{Tenant: "acme", Roles: []string{"all"}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := schema.NewBuilder()
	if err != nil {
		t.Fatal(err)
	}
	shown, err := b.Build(view, schema.Holder|schema.Reader)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, f := range everyField(shown) {
		left := s.ask(t, "all", f.text(""), "")
		if strings.Contains(left, `"BAD_USER_INPUT"`) || strings.Contains(left, `"GRAPHQL_VALIDATION_FAILED"`) {
			continue // it says what else it needs
		}
		for _, arg := range f.field.Arguments {
			if arg.Type.NonNull {
				continue
			}
			seen[arg.Name] = true
			variable := "query($v: " + arg.Type.String() + ") " + f.text(arg.Name+": $v")
			if got := s.ask(t, "all", variable, ""); got != left {
				t.Errorf("%s without a value\n got %s\nwant %s", variable, got, left)
			}
			for _, got := range []string{s.ask(t, "all", f.text(arg.Name+": null"), ""), s.ask(t, "all", variable, `{"v": null}`)} {
				narrows := arg.Name == "where" || arg.Name == "having"
				if !narrows && got != left || narrows && !strings.Contains(got, arg.Name+" is null; leave it out to ask without it") {
					t.Errorf("%s\n got %s\nwant %s", f.text(arg.Name+": null"), got, left)
				}
			}
		}
	}
	if len(seen) < 14 {
		t.Errorf("only %d arguments were tried: %v", len(seen), seen)
	}
}

// Members of conditions are operands or hold some: a null is refused in words,
// and where it may be left out elsewhere it may be null.
func TestNullMembers(t *testing.T) {
	t.Parallel()
	s := openShop(t, false)
	const refused = "refused"
	for _, c := range []struct{ argument, typ, value, want string }{
		{"where", "OrdersWhere", `{"region": null}`, refused},
		{"where", "OrdersWhere", `{"region": {"eq": null}}`, refused},
		{"where", "OrdersWhere", `{"region": {"in": null}}`, refused},
		{"where", "OrdersWhere", `{"region": {"in": ["EU", null]}}`, refused},
		{"where", "OrdersWhere", `{"region": {"isNull": null}}`, refused},
		{"where", "OrdersWhere", `{"and": null}`, refused},
		{"where", "OrdersWhere", `{"or": null}`, refused},
		{"where", "OrdersWhere", `{"not": null}`, refused},
		{"where", "OrdersWhere", `{"customer": null}`, refused},
		{"where", "OrdersWhere", `{"ordered_at": {"previous": null}}`, refused},
		{"where", "OrdersWhere", `{"ordered_at": {"toDate": null}}`, refused},
		{"where", "OrdersWhere", `{"ordered_at": {"previous": {"n": 1, "unit": "YEAR", "timezone": null}}}`, `{"ordered_at": {"previous": {"n": 1, "unit": "YEAR"}}}`},
		{"having", "OrdersHaving", `{"count": null}`, refused},
		{"having", "OrdersHaving", `{"count": {"gt": null}}`, refused},
		{"having", "OrdersHaving", `{"amount": {"sum": null}}`, refused},
		{"having", "OrdersHaving", `{"or": null}`, refused},
		{"topN", "OrdersTopN", `{"n": 1, "by": {"count": "DESC"}, "others": null}`, `{"n": 1, "by": {"count": "DESC"}}`},
		{"orderBy", "[OrdersAggregateOrderBy!]", `[{"key": {"ordered_at": {"by": null}}}]`, `[{"key": {"ordered_at": {}}}]`},
		{"orderBy", "[OrdersAggregateOrderBy!]", `null`, ``},
	} {
		text := fmt.Sprintf("query($v: %s) { ordersAggregate(%s: $v) { key { ordered_at region } count } }", c.typ, c.argument)
		got := s.ask(t, "all", text, `{"v": `+c.value+`}`)
		switch c.want {
		case refused:
			if !strings.Contains(got, `"code":"BAD_USER_INPUT"`) || !strings.Contains(got, "null") {
				t.Errorf("%s: %s is not refused in words: %s", c.argument, c.value, got)
			}
		case "":
			if want := s.ask(t, "all", text, `{}`); got != want || strings.Contains(got, `"errors"`) {
				t.Errorf("%s: %s\n got %s\nwant %s", c.argument, c.value, got, want)
			}
		default:
			if want := s.ask(t, "all", text, `{"v": `+c.want+`}`); got != want || strings.Contains(got, `"errors"`) {
				t.Errorf("%s: %s\n got %s\nwant %s", c.argument, c.value, got, want)
			}
		}
	}
}
