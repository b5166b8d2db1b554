package broker

import (
	"testing"
	"time"

	"usher/plan"
	"usher/plugin"
	"usher/value"
)

// TestFiltersWiden: what a plugin holds finer than it sends is still found.
func TestFiltersWiden(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC) // sent as .678
	for _, op := range []string{"eq", "in", "gt", "gte", "lt", "lte"} {
		for _, sent := range []time.Time{at.Truncate(time.Millisecond), at.Round(time.Millisecond)} {
			v, err := value.Parse(value.Of(value.Timestamp), sent.Format(time.RFC3339Nano))
			if err != nil {
				t.Fatal(err)
			}
			c := plan.Condition{Column: "created_at", Operator: op, Values: []value.Value{v}}
			for _, f := range conditionFilters(c, datetime) {
				filter := plugin.Filter{Operator: plugin.Operator(f.Expression), Values: f.Value}
				if !filter.Match(at) {
					t.Errorf("%s %v: %v hides a row sent as %v", op, v.Text(), f, sent)
				}
			}
		}
	}
}
