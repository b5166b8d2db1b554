package equivalence

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/value"
)

// A literal is an input value: nil, bool, json.Number, string, word, []any or
// object, or a variable that stands for one of them.
type (
	word     string // an enum's name
	object   []member
	variable string
	member   struct {
		name  string
		value any
	}
)

// written is the literal as it stands in a document.
func written(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case word:
		return string(v)
	case variable:
		return "$" + string(v)
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = written(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case object:
		members := make([]string, len(v))
		for i, m := range v {
			members[i] = m.name + ": " + written(m.value)
		}
		return "{" + strings.Join(members, ", ") + "}"
	case string:
		return quotedGraphQL(v)
	}
	return fmt.Sprint(v)
}

// quotedGraphQL is a string literal. Characters beyond ASCII stand as they
// are: GraphQL's escapes reach 16 bits only.
func quotedGraphQL(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// sent is the literal as a variable's value.
func sent(v any) any {
	switch v := v.(type) {
	case word:
		return string(v)
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = sent(item)
		}
		return items
	case object:
		members := make(map[string]any, len(v))
		for _, m := range v {
			members[m.name] = sent(m.value)
		}
		return members
	}
	return v
}

// literalOf is a cell as an input of its type.
func literalOf(t value.Type, c cell) any {
	if c.null {
		return nil
	}
	if t.List {
		items := make([]any, len(c.items))
		for i, item := range c.items {
			items[i] = literalOf(t.Elem(), item)
		}
		return items
	}
	switch t.Scalar { //nolint:exhaustive // all else is text
	case value.Int, value.BigInt, value.Float, value.Decimal:
		return json.Number(c.text)
	case value.Boolean:
		return c.text == "true"
	case value.Enum:
		return word(c.text)
	case value.JSON:
		decoder := json.NewDecoder(strings.NewReader(c.text))
		decoder.UseNumber()
		var v any
		if err := decoder.Decode(&v); err != nil {
			panic(err)
		}
		return ordered(v)
	}
	return c.text
}

// ordered turns decoded JSON into a literal: members in an order of their own.
func ordered(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = ordered(v[i])
		}
	case map[string]any:
		out := make(object, 0, len(v))
		for name := range v {
			out = append(out, member{name, ordered(v[name])})
		}
		sort.Slice(out, func(i, j int) bool { return out[i].name < out[j].name })
		return out
	}
	return v
}

// plainType is a type without the non-null mark outside.
func plainType(t *ast.Type) string { return strings.TrimSuffix(t.String(), "!") }

func integer(n int) json.Number { return json.Number(strconv.Itoa(n)) }
