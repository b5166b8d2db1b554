package equivalence

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"
	"pgregory.net/rapid"

	"usher/value"
)

// prepared: an operation that was planned for other values answers as one that is
// planned for its own. An operation of another name has a plan of its own.
func prepared(t *testing.T, w *world, ways []way) {
	t.Helper()
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		tenant := rapid.SampledFrom(tenants).Draw(t, "tenant")
		by := rapid.SampledFrom(ways).Draw(t, "way")
		g := newGenerator(t, by.gateway.schema, w, tenant)
		g.lifting = true
		op := g.operation(g.selection([]field{g.root()}, "Query"))
		if len(op.Variables) == 0 || !by.answers(op) {
			return
		}
		for i := range 4 {
			tenant := tenant
			if i > 0 {
				tenant = pick(g, tenants, "another tenant")
			}
			asked := operation{Query: op.Query, Variables: make(map[string]any, len(op.Variables))}
			for name, v := range op.Variables {
				asked.Variables[name] = v
				if i > 0 {
					asked.Variables[name] = g.another(v)
				}
			}
			anew := asked
			anew.Query = strings.Replace(op.Query, "query Q(", "query "+string(rune('A'+i))+"(", 1)
			got, want := by.ask(t.Context(), tenant, asked), by.ask(t.Context(), tenant, anew)
			broken(t, by, asked, got)
			same(t, tenant, asked, by.name+", prepared,", got, by.name+", planned anew,", want)
			if i > 0 && !bytes.Contains(got, []byte(`"errors"`)) {
				compared++
			}
		}
	})
	if compared < *checks/3 {
		t.Errorf("%d answers were compared: too few", compared)
	}
}

// preparedTexts: an operation that was planned for a text with other literals answers as
// one that is planned for its own, errors and their places included.
func preparedTexts(t *testing.T, w *world, ways []way) {
	t.Helper()
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		tenant := rapid.SampledFrom(tenants).Draw(t, "tenant")
		by := rapid.SampledFrom(ways).Draw(t, "way")
		g := newGenerator(t, by.gateway.schema, w, tenant)
		op := g.operation(g.selection([]field{g.root()}, "Query"))
		op.Query = "query Q" + strings.TrimPrefix(strings.TrimPrefix(op.Query, "query Q"), "query")
		if !by.answers(op) {
			return
		}
		for i := range 6 {
			asked, tenant := op, tenant
			if i > 0 {
				asked.Query, tenant = g.anotherText(op.Query), pick(g, tenants, "another tenant")
			}
			anew := asked
			anew.Query = "query " + string(rune('A'+i)) + strings.TrimPrefix(asked.Query, "query Q")
			got, want := by.ask(t.Context(), tenant, asked), by.ask(t.Context(), tenant, anew)
			broken(t, by, asked, got)
			same(t, tenant, asked, by.name+", prepared,", got, by.name+", planned anew,", want)
			if asked.Query != op.Query && !bytes.Contains(got, []byte(`"errors"`)) {
				compared++
			}
		}
	})
	if compared < *checks/3 {
		t.Errorf("%d answers were compared: too few", compared)
	}
}

// anotherText is a document with other numbers and strings in it.
func (g *generator) anotherText(text string) string {
	var out strings.Builder
	all, done := []rune(text), 0
	lex := lexer.New(&ast.Source{Input: text})
	for {
		token, err := lex.ReadToken()
		if err != nil || token.Kind == lexer.EOF {
			break
		}
		var other any
		switch token.Kind { //nolint:exhaustive // the others are no literals
		case lexer.Int, lexer.Float:
			other = g.another(json.Number(token.Value))
		case lexer.String:
			other = g.another(token.Value)
		default:
			continue
		}
		out.WriteString(string(all[done:token.Pos.Start]) + written(other))
		done = token.Pos.End
	}
	return out.String() + string(all[done:])
}

// another is a value of the same form with other texts and numbers in it, of which
// some are of no use where they stand.
func (g *generator) another(v any) any {
	switch v := v.(type) {
	case string:
		texts := []string{v, v + "5", ""}
		for scalar := value.Int; scalar < value.Enum; scalar++ {
			of := interesting[scalar]
			if _, err := value.Parse(value.Of(scalar), v); err == nil && scalar != value.String && scalar != value.ID && scalar != value.JSON {
				return pick(g, append(of, v), "alike") // what it could be besides text
			}
			if g.chance(12, "anything") {
				texts = append(texts, of...)
			}
		}
		return pick(g, append(texts, interesting[value.String]...), "another text")
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = g.another(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out[name] = g.another(v[name])
		}
		return out
	case nil, bool:
		return v
	}
	numbers := []any{v, v, v}
	for _, text := range []string{"0", "1", "2", "3", "-3", "12.5", "1.005", "99999999999999999999.5", "2147483647"} {
		numbers = append(numbers, json.Number(text))
	}
	return pick(g, numbers, "another number")
}
