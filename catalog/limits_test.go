package catalog

import (
	"strings"
	"testing"
)

// Limits mean what they say, everywhere: what is left out has the default, and nothing but the
// maximum raises the maximum.
func TestLimitsOfRows(t *testing.T) {
	t.Parallel()
	number := func(n int) *int { return &n }
	for _, c := range []struct {
		rows, most *int
		want       [2]int
		problem    string
	}{
		{nil, nil, [2]int{1000, 10_000}, ""},
		{number(5), nil, [2]int{5, 10_000}, ""},
		{nil, number(10), [2]int{10, 10}, ""},
		{nil, number(20_000), [2]int{1000, 20_000}, ""},
		{number(20_000), number(20_000), [2]int{20_000, 20_000}, ""},
		{number(1), number(1), [2]int{1, 1}, ""},
		{number(20_000), nil, [2]int{}, "rows: is more than max_rows, 10000"},
		{number(11), number(10), [2]int{}, "rows: is more than max_rows, 10"},
		{number(0), nil, [2]int{}, "rows: must be at least 1"},
		{nil, number(0), [2]int{}, "max_rows: must be at least 1"},
		{number(-5), nil, [2]int{}, "rows: must be at least 1"},
		{nil, number(-5), [2]int{}, "max_rows: must be at least 1"},
	} {
		var problems []Problem
		rows, most := limitPair(place{to: &problems}, "rows", "max_rows", c.rows, c.most, defaultRows, defaultMaxRows)
		switch {
		case c.problem == "" && (len(problems) > 0 || [2]int{rows, most} != c.want):
			t.Errorf("%v: %d, %d, %v", c.want, rows, most, problems)
		case c.problem != "" && (len(problems) == 0 || !strings.Contains(problems[0].String(), c.problem)):
			t.Errorf("%s: %v", c.problem, problems)
		}
	}
	var problems []Problem
	c := &compiler{problems: problems}
	c.right(c.at("roles"), &Dataset{Name: "d", MaxLimit: 7}, "r", RightSpec{Limit: number(0)})
	if len(c.problems) != 1 || !strings.Contains(c.problems[0].String(), "must be a whole number from 1 to") {
		t.Errorf("a role's limit of 0: %v", c.problems)
	}
}
