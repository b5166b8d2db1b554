package equivalence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"usher/catalog"
	"usher/value"
)

// answered decodes the data of an answer, numbers with their digits. It is nil
// for one with errors.
func answered(t *rapid.T, op operation, answer []byte) map[string]any {
	t.Helper()
	var out struct {
		Data   map[string]any
		Errors []any
	}
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.UseNumber()
	if err := decoder.Decode(&out); err != nil {
		t.Fatalf("%v: %s\n%s", err, answer, op)
	}
	if len(out.Errors) > 0 {
		return nil
	}
	return out.Data
}

// drawWhere draws a where over a table.
func (g *generator) drawWhere(t *table) string {
	def := g.schema.Types[typeName(t)+"Where"]
	return written(g.conditions(def, 3))
}

// complement: every where is true or false of a row, so the rows it holds
// for and the rows it does not hold for are all rows.
func complement(t *testing.T, w *world, ways []way) {
	t.Helper()
	asked, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		tenant := rapid.SampledFrom(tenants).Draw(t, "tenant")
		by := rapid.SampledFrom(ways).Draw(t, "way")
		g := newGenerator(t, by.gateway.schema, w, tenant)
		over := pick(g, w.tables, "dataset")
		where := g.drawWhere(over)
		name := over.name + "Aggregate"
		op := g.operation(fmt.Sprintf("{ all: %s { count } yes: %s(where: %s) { count } no: %s(where: {not: %s}) { count } }", name, name, where, name, where))
		if !by.answers(op) {
			return
		}
		answer := by.ask(t.Context(), tenant, op)
		broken(t, by, op, answer)
		asked++
		data := answered(t, op, answer)
		if data == nil {
			refused++
			return
		}
		count := func(key string) int {
			n, err := data[key].([]any)[0].(map[string]any)["count"].(json.Number).Int64()
			if err != nil {
				t.Fatal(err)
			}
			return int(n)
		}
		if all := len(over.of(tenant)); count("all") != all || count("yes")+count("no") != all {
			t.Fatalf("%s has %d rows; by %s the answer is %s\n%s", tenant, all, by.name, answer, op)
		}
	})
	if refused*10 > asked {
		t.Errorf("%d of %d operations were refused", refused, asked)
	}
}

// addsUp: what an aggregate says is what the rows add up to.
func addsUp(t *testing.T, w *world, ways []way) {
	t.Helper()
	rows := 0
	rapid.Check(t, func(t *rapid.T) {
		tenant := rapid.SampledFrom(tenants).Draw(t, "tenant")
		by := rapid.SampledFrom(ways).Draw(t, "way")
		g := newGenerator(t, by.gateway.schema, w, tenant)
		over := pick(g, w.tables, "dataset")
		where := "{}"
		if g.chance(2, "where") {
			where = g.drawWhere(over)
		}
		var columns []column
		for _, c := range over.stored() {
			if c.name != tenantColumn {
				columns = append(columns, c)
			}
		}
		op := g.operation(fmt.Sprintf("{ %s(where: %s, limit: 2000) { %s } %sAggregate(where: %s) { count %s } }",
			over.name, where, names(columns), over.name, where, aggregates(columns)))
		if !by.answers(op) {
			return
		}
		answer := by.ask(t.Context(), tenant, op)
		broken(t, by, op, answer)
		data := answered(t, op, answer)
		if data == nil {
			t.Fatalf("refused: %s\n%s", answer, op)
		}
		list := data[over.name].([]any)
		group := data[over.name+"Aggregate"].([]any)[0].(map[string]any)
		rows += len(list)
		if fmt.Sprint(group["count"]) != fmt.Sprint(len(list)) {
			t.Fatalf("count is %v, there are %d rows\n%s", group["count"], len(list), op)
		}
		for _, c := range columns {
			got, ok := group[ofGroup(c.name)].(map[string]any)
			if !ok {
				continue
			}
			for f, want := range addUp(c.typ, cells(list, c.name)) {
				if !alike(c.typ, f, got[string(f)], want) {
					t.Fatalf("by %s %s of %s is %v, the %d rows say %v\n%s", by.name, f, c.name, got[string(f)], len(list), want, op)
				}
			}
		}
	})
	if rows == 0 {
		t.Error("no operation had any row")
	}
}

func names(columns []column) string {
	var out []string
	for _, c := range columns {
		out = append(out, c.name)
	}
	return strings.Join(out, " ")
}

// addable are the functions that are computed again here.
var addable = []catalog.Func{catalog.Sum, catalog.Min, catalog.Max, catalog.CountDistinct}

func aggregates(columns []column) string {
	var b strings.Builder
	for _, c := range columns {
		var functions []string
		for _, f := range addable {
			if _, ok := catalog.FuncResult(f, c.typ); ok {
				functions = append(functions, string(f))
			}
		}
		if functions != nil {
			fmt.Fprintf(&b, "%s { %s } ", ofGroup(c.name), strings.Join(functions, " "))
		}
	}
	return b.String()
}

// cells are the values of a column that are not null.
func cells(rows []any, column string) []any {
	var out []any
	for _, row := range rows {
		if v := row.(map[string]any)[column]; v != nil {
			out = append(out, v)
		}
	}
	return out
}

// addUp computes the functions of a column from its values. The interval's
// order is the engines' own and left out.
func addUp(t value.Type, values []any) map[catalog.Func]any {
	out := make(map[catalog.Func]any)
	if t.Groupable() {
		seen := make(map[string]bool)
		for _, v := range values {
			seen[fmt.Sprint(v)] = true
		}
		out[catalog.CountDistinct] = len(seen)
	}
	if t.Numeric() {
		out[catalog.Sum] = nil
		sum := new(big.Rat)
		for _, v := range values {
			out[catalog.Sum] = sum.Add(sum, rational(v))
		}
	}
	if _, ok := catalog.FuncResult(catalog.Min, t); ok && t.Scalar != value.Interval {
		out[catalog.Min], out[catalog.Max] = nil, nil
		if len(values) > 0 {
			byValue := func(a, b any) int { return order(t, a, b) }
			out[catalog.Min], out[catalog.Max] = slices.MinFunc(values, byValue), slices.MaxFunc(values, byValue)
		}
	}
	return out
}

func rational(v any) *big.Rat {
	r, ok := new(big.Rat).SetString(fmt.Sprint(v))
	if !ok {
		panic("no number: " + fmt.Sprint(v))
	}
	return r
}

// order compares values as they are written in an answer.
func order(t value.Type, a, b any) int {
	x, y := fmt.Sprint(a), fmt.Sprint(b)
	switch {
	case t.Numeric():
		return rational(a).Cmp(rational(b))
	case t.Scalar == value.Enum:
		return slices.Index(t.Labels, x) - slices.Index(t.Labels, y)
	case t.Scalar == value.Timestamp:
		x, y = strings.TrimSuffix(x, "Z"), strings.TrimSuffix(y, "Z")
	}
	return strings.Compare(x, y)
}

// alike compares a result with what was computed. Sums of doubles agree in the
// digits that do not depend on the order of adding.
func alike(t value.Type, f catalog.Func, got, want any) bool {
	sum, ok := want.(*big.Rat)
	switch {
	case got == nil || want == nil:
		return got == nil && want == nil
	case ok && t.Scalar == value.Float:
		a, _ := rational(got).Float64()
		b, _ := sum.Float64()
		return math.Abs(a-b) <= 1e-9*math.Max(math.Abs(b), 1e6)
	case ok:
		return rational(got).Cmp(sum) == 0
	case t.Numeric() && f != catalog.CountDistinct:
		return rational(got).Cmp(rational(want)) == 0
	}
	return fmt.Sprint(got) == fmt.Sprint(want)
}
