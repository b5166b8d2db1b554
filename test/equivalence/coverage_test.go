package equivalence

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/plan"
)

// coverage is what the operations of a run asked for and what they got.
type coverage struct {
	hits   map[string]int // of operations that were answered
	asked  int
	errors int
	rows   int
	told   map[string]int // the messages of errors
	closed bool           // nothing more is counted
}

func newCoverage() *coverage {
	return &coverage{hits: make(map[string]int), told: make(map[string]int)}
}

// add counts an operation by its answer. An answer with any error counts as an
// error only: what was asked may not have been executed.
func (c *coverage) add(hits map[string]int, answer []byte) {
	if c.closed {
		return
	}
	c.asked++
	var decoded struct {
		Data   map[string]any
		Errors []struct{ Message string }
	}
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.UseNumber()
	if err := decoder.Decode(&decoded); err != nil || len(decoded.Errors) > 0 {
		c.errors++
		for _, e := range decoded.Errors {
			c.told[e.Message]++
		}
		return
	}
	for name, n := range hits {
		c.hits[name] += n
	}
	if slices.ContainsFunc(slices.Collect(maps.Values(decoded.Data)), holds) {
		c.rows++
	}
}

// holds tells whether a value shows any row: a list of nothing, an aggregate
// of nothing and a null do not.
func holds(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case json.Number:
		return v != "0"
	case []any:
		return slices.ContainsFunc(v, holds)
	case map[string]any:
		for name, member := range v {
			if name != "__typename" && holds(member) {
				return true
			}
		}
		return false
	}
	return true
}

// check fails the test when the run has shown too little: too few rows, too
// many errors, or not everything there is in a schema, unless that is nil.
func (c *coverage) check(t *testing.T, s *ast.Schema) {
	t.Helper()
	t.Logf("%d operations, %d errors, %d with rows, %d things asked for", c.asked, c.errors, c.rows, len(c.hits))
	if c.errors*3 > c.asked {
		t.Log(c.told)
		t.Errorf("%d of %d answers are errors, more than a third", c.errors, c.asked)
	}
	if c.rows*2 < c.asked {
		t.Errorf("%d of %d answers have rows, less than half", c.rows, c.asked)
	}
	if s == nil {
		return
	}
	var missing []string
	for _, name := range wanted(s) {
		if c.hits[name] == 0 {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		t.Errorf("never asked for, or only in refused operations: %s", strings.Join(missing, ", "))
	}
}

// wanted lists every operator, function and unit of the schema, every kind of
// relation and every way to write a selection.
func wanted(s *ast.Schema) []string {
	seen := make(map[string]bool)
	for name, def := range s.Types {
		kind := ""
		switch {
		case strings.HasPrefix(name, "__"), name == "JSONPathWhere":
		case def.Kind == ast.InputObject && strings.HasSuffix(name, "AggregateWhere"):
			kind = "having "
		case def.Kind == ast.InputObject && strings.HasSuffix(name, "Where") && def.Fields.ForName("isNull") != nil:
			kind = "operator "
		case def.Kind == ast.Object && def.Fields.ForName("countDistinct") != nil:
			kind = "function "
		}
		if kind == "" {
			continue
		}
		for _, f := range def.Fields {
			if f.Name != "p" && f.Name != "by" { // say which percentile, and first by what
				seen[kind+f.Name] = true
			}
		}
	}
	for _, d := range s.Types["Direction"].EnumValues {
		seen["direction "+d.Name] = true
	}
	for _, unit := range []plan.Unit{plan.Day, plan.Week, plan.Month, plan.Quarter, plan.Year} {
		for _, scalar := range []string{"Date", "Timestamp", "LocalTimestamp"} {
			seen["unit "+scalar+" "+strings.ToUpper(string(unit))] = true
		}
	}
	for _, unit := range []plan.Unit{plan.Second, plan.Minute, plan.Hour} {
		for _, scalar := range []string{"Time", "Timestamp", "LocalTimestamp"} {
			seen["unit "+scalar+" "+strings.ToUpper(string(unit))] = true
		}
	}
	for _, list := range measures {
		for _, m := range list {
			seen["measure "+m.Name] = true
		}
	}
	for _, name := range []string{
		"relation to one", "relation to many", "relation to many aggregate", "relation self to one", "relation self to many",
		"relation two columns to one", "relation two columns to many", "relation to common", "relation from common", "relation key",
		"connective and", "connective or", "connective not", "where relation", "where some", "where none", "where every", "order relation", "order aggregate", "order key",
		"series fill", "series previous", "series topN", "series others", "series runningCount", "series countShare",
		"inside exists", "inside isNull", "inside text", "inside number", "inside boolean",
		"syntax variable", "syntax alias", "syntax fragment", "syntax connection", "bin Int", "bin BigInt", "bin Decimal", "syntax inline fragment", "syntax directive",
	} {
		seen[name] = true
	}
	return slices.Sorted(maps.Keys(seen))
}
