package sqltype_test

import (
	"slices"
	"testing"

	"usher/datasource/sqltype"
	"usher/value"
)

func TestEnum(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		labels []string
		want   string
	}{
		{"order_status", []string{"open", "DONE", "_x1"}, "OrderStatus"},
		{"mood", []string{"ok"}, "Mood"},
		{"Order Status v2 final", []string{"ok"}, "OrderStatusV2Final"},
		{"2nd_try", []string{"ok"}, "NdTry"},
		{"date", []string{"ok"}, "DateEnum"},
		{"mood", []string{"so la"}, "String"},
		{"mood", []string{"ok", ""}, "String"},
		{"mood", []string{"1st"}, "String"},
		{"mood", []string{"true"}, "String"},
		{"mood", []string{"__typename"}, "String"},
		{"mood", []string{"é"}, "String"},
		{"mood", nil, "String"},
		{"状态", []string{"ok"}, "String"},
	} {
		got := sqltype.Enum(c.name, c.labels)
		if got.GraphQL() != c.want {
			t.Errorf("%s %q: %s, want %s", c.name, c.labels, got.GraphQL(), c.want)
		}
		if got.Scalar == value.Enum && !slices.Equal(got.Labels, c.labels) {
			t.Errorf("%s: labels %q, want %q", c.name, got.Labels, c.labels)
		}
	}
}
