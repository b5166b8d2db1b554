package equivalence

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var alias = regexp.MustCompile(`^a\d+: `)

// tiles: fields asked together answer as each of them does alone, also those
// that read the same rows in one pass.
func tiles(t *testing.T, w *world, ways []way) {
	t.Helper()
	rows, lists := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		tenant := rapid.SampledFrom(tenants).Draw(t, "tenant")
		by := rapid.SampledFrom(ways).Draw(t, "way")
		g := newGenerator(t, by.gateway.schema, w, tenant)
		over := pick(g, w.tables, "dataset")
		where := "{}"
		if g.chance(2, "where") {
			where = g.drawWhere(over)
		}
		def := g.schema.Query.Fields.ForName(over.name + "Aggregate")
		n := g.upTo(2, 5, "tiles")
		var text strings.Builder
		all := make(map[string]any)
		for i := range n {
			f := g.field(def, rootDepth)
			own := where
			if g.chance(3, "more") { // some of the rows that another reads
				own = fmt.Sprintf("{and: [%s, %s]}", where, g.drawWhere(over))
			}
			rest := object{{"where", word(own)}}
			for _, a := range f.arguments {
				if a.name != "where" {
					rest = append(rest, a)
				}
			}
			f.arguments = rest
			name := fmt.Sprintf("only%d", i)
			g.declared = append(g.declared, "$"+name+": Boolean!")
			field := alias.ReplaceAllString(g.written(f, "Query", make(map[string]bool)), "")
			fmt.Fprintf(&text, " ... @include(if: $%s) { t%d: %s }", name, i, field)
			all[name] = true
		}
		whole := text.String() + strings.Join(g.fragments, "")
		g.declared = slices.DeleteFunc(g.declared, func(v string) bool { // of conditions that were replaced
			name, _, _ := strings.Cut(v, ":")
			return !regexp.MustCompile(regexp.QuoteMeta(name) + `\b`).MatchString(whole)
		})
		op := g.operation("{ __typename" + text.String() + " }")
		if !by.answers(op) {
			return
		}
		ask := func(which map[string]any) (map[string]any, []any) {
			asked := op
			asked.Variables = maps.Clone(op.Variables)
			maps.Copy(asked.Variables, which)
			answer := by.ask(t.Context(), tenant, asked)
			broken(t, by, asked, answer)
			var out struct {
				Data   map[string]any
				Errors []any
			}
			if err := json.Unmarshal(answer, &out); err != nil {
				t.Fatalf("%v: %s", err, answer)
			}
			return out.Data, out.Errors
		}
		together, errors := ask(all)
		alone := 0
		for i := range n {
			only := maps.Clone(all)
			for name := range only {
				only[name] = name == fmt.Sprintf("only%d", i)
			}
			data, errs := ask(only)
			alone += len(errs)
			name := fmt.Sprintf("t%d", i)
			if !reflect.DeepEqual(data[name], together[name]) {
				t.Fatalf("%s: %s is %v alone and %v together\n%s", by.name, name, data[name], together[name], op)
			}
			if list, ok := data[name].([]any); ok {
				lists++
				rows += len(list)
			}
		}
		if alone != len(errors) {
			t.Fatalf("%s: %d errors alone, %d together: %v\n%s", by.name, alone, len(errors), errors, op)
		}
	})
	if lists == 0 || rows < lists {
		t.Errorf("%d tiles had %d rows: nothing was compared", lists, rows)
	}
}
