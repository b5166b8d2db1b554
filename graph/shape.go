package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/dashboard"
)

// shape is what stands at a place of an answer, as the text of its query says.
type shape struct {
	kind   ast.DefinitionKind
	name   string // of its type
	list   bool
	fields map[string]*shape // by what they are called in the answer
	names  []string          // in their order
}

// shapeOf is the shape of the answer to an operation.
func shapeOf(s *ast.Schema, op *ast.OperationDefinition) *shape {
	root := &shape{kind: ast.Object, name: "Query"}
	root.take(s, op.SelectionSet)
	return root
}

func (h *shape) take(s *ast.Schema, set ast.SelectionSet) {
	for _, selected := range set {
		switch selected := selected.(type) {
		case *ast.Field:
			called := selected.Alias
			if called == "" {
				called = selected.Name
			}
			below := h.fields[called]
			if below == nil {
				t := selected.Definition.Type
				below = &shape{name: t.Name(), list: t.Elem != nil, kind: ast.Scalar}
				if def := s.Types[t.Name()]; def != nil {
					below.kind = def.Kind
				}
				if h.fields == nil {
					h.fields = make(map[string]*shape)
				}
				h.fields[called] = below
				h.names = append(h.names, called)
			}
			below.take(s, selected.SelectionSet)
		case *ast.InlineFragment:
			h.take(s, selected.SelectionSet)
		case *ast.FragmentSpread:
			h.take(s, selected.Definition.SelectionSet)
		}
	}
}

// open tells that anything may stand below: what a value of JSON holds is in no schema.
func (h *shape) open() bool { return h.name == "JSON" }

func (h *shape) leaf() bool { return h.kind == ast.Scalar || h.kind == ast.Enum }

// at follows a path as the charts do: members by their names, items by their numbers,
// and through a list to the same of each item. Where it leads nowhere, said says so.
func (h *shape) at(path string) (found *shape, said string) {
	found = h
	for name := range strings.SplitSeq(path, ".") {
		switch {
		case found.open():
			return found, ""
		case found.list && strings.Trim(name, "0123456789") == "":
			item := *found
			item.list = false
			found = &item
		case found.fields[name] != nil:
			found = found.fields[name]
		case found.leaf():
			return nil, fmt.Sprintf("%s leads into a value: there is no %s below it", path, name)
		default:
			return nil, fmt.Sprintf("%s leads nowhere: there is no %s, but %s", path, name, listed(found.names))
		}
	}
	return found, ""
}

// has tells whether something below a row has a name.
func (h *shape) has(name string) bool {
	if h.open() || h.fields[name] != nil {
		return true
	}
	return slices.ContainsFunc(h.names, func(below string) bool { return h.fields[below].has(name) })
}

func listed(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// charted says which paths of a chart do not lead where its kind needs them to.
func charted(data *shape, c dashboard.Chart, say func(message string, at ...string)) {
	rows, said := data.at(c.Rows)
	switch {
	case said != "":
		say(said, "rows")
		return
	case rows.open():
		return
	case rows.leaf():
		say(c.Rows+" leads to a value, and not to rows", "rows")
		return
	}
	row := *rows
	row.list = false
	value := func(of *shape, path string, at ...string) *shape {
		found, said := of.at(path)
		switch {
		case said != "":
			say(said, at...)
			return nil
		case !found.leaf():
			say(fmt.Sprintf("%s leads to an object: name one of %s below it", path, listed(found.names)), at...)
			return nil
		}
		return found
	}
	used := slices.Concat(c.Y, c.Columns)
	for i, path := range c.Y {
		found := value(&row, path, "y", fmt.Sprint(i))
		if found != nil && (found.kind == ast.Enum || slices.Contains(wordy, found.name)) {
			say(fmt.Sprintf("%s is of the type %s, and what is measured is a number", path, found.name), "y", fmt.Sprint(i))
		}
	}
	for i, path := range c.Columns {
		value(&row, path, "columns", fmt.Sprint(i), "path")
	}
	for name, path := range map[string]string{"x": c.X, "size": c.Size, "series": c.Series, "compare": c.Compare} {
		if path == "" || !draws(c.Kind, name) {
			continue
		}
		used = append(used, path)
		switch {
		case name == "series" && c.Kind == "number": // the list behind the line
			if found, said := data.at(path); said != "" {
				say(said, name)
			} else if !found.open() && (found.leaf() || !found.list) {
				say(path+" leads to no list", name)
			}
		case name == "compare" && c.Kind == "number":
			if _, said := row.at(path); said == "" {
				continue
			}
			value(data, path, name)
		default:
			value(&row, path, name)
		}
	}
	guessed := c.Kind == "table" && c.Columns == nil || c.Kind != "table" && (c.Y == nil || c.X == "")
	for _, path := range c.Formats {
		named := func(other string) bool { return other == path || other[strings.LastIndexByte(other, '.')+1:] == path }
		if slices.ContainsFunc(used, named) {
			continue
		}
		if _, said := row.at(path); guessed && (said == "" || row.has(path)) {
			continue
		}
		say("nothing that is drawn is called "+path+": "+listed(used), "format", path)
	}
}

// draws tells whether a kind has a use for a path.
func draws(kind, path string) bool {
	switch path {
	case "x":
		return kind != "number" && kind != "table"
	case "size":
		return kind == "scatter"
	case "compare":
		return kind == "number" || kind == "bar"
	}
	return kind != "pie" && kind != "donut"
}

// wordy are the types that are certainly no numbers.
var wordy = []string{"String", "Boolean", "ID", "Timestamp", "LocalTimestamp", "Date", "Time", "UUID"}
