package gateway_test

import (
	"strings"
	"testing"
)

// Whoever mints a token for dashboards is told by name which of their tiles its roles do not show, and
// nothing of what a viewer who sees less than the minter does not know of.
func TestMintersAreToldOfHiddenTiles(t *testing.T) {
	t.Parallel()
	g, _, key := savedBy(t)
	boss := key(`roles: ["full", "clerk", "regional"]`)
	const list = `{"kind": "table", "rows": "customers"}`
	save := func(name string, tiles ...string) {
		t.Helper()
		g.save(t, boss, name, dashboardOf("", tiles...), "")
	}
	people := tile("people", `{ customers { id name } }`, list)
	scores := tile("scores", `{ customers { id score } }`, list)
	totals := tile("totals", `{ customersAggregate { count } }`, `{"kind": "number", "rows": "customersAggregate"}`)
	bought := tile("bought", `{ orders { id } }`, `{"kind": "table", "rows": "orders"}`)
	save("board", people, scores, totals, bought)
	save("open", people)
	save("shut", scores, bought)
	const do = "give it roles and datasets that see what they ask for; groups and aggregates are shown by roles with `aggregate: true`"
	for _, line := range []struct {
		grants, boards string
		want           []string
	}{
		{`roles: ["full"]`, `["board", "open", "shut"]`, nil},
		{`roles: ["full", "clerk"]`, `["board"]`, nil},
		{`roles: ["clerk"]`, `["open"]`, nil},
		{`roles: ["clerk"]`, `["board"]`, []string{"the token does not show these tiles of the dashboard board: scores, bought; " + do}},
		{`roles: ["regional"]`, `["board"]`, []string{"the token does not show these tiles of the dashboard board: scores, totals; " + do}},
		{`roles: ["full"], datasets: ["orders"]`, `["board"]`, []string{"the token does not show these tiles of the dashboard board: people, scores, totals; " + do}},
		{`roles: ["clerk"]`, `["shut", "open", "board"]`, []string{
			"the token shows no tile of the dashboard shut: " + do, "the token does not show these tiles of the dashboard board: scores, bought; " + do,
		}},
	} {
		got := g.query(t, boss, `mutation { createToken(input: {subject: "v", `+line.grants+`, dashboards: `+line.boards+`}) { findings } }`)
		for _, want := range line.want {
			if !strings.Contains(got, `"`+want+`"`) {
				t.Errorf("%s, %s is told %s, want %s", line.grants, line.boards, got, want)
			}
		}
		if n := strings.Count(got, "of the dashboard"); n != len(line.want) || !strings.Contains(got, `"findings":[`) {
			t.Errorf("%s, %s is told %d things, want %d: %s", line.grants, line.boards, n, len(line.want), got)
		}
	}
	// Without dashboards there is nothing to say; null is no list of them.
	mint := func(more string) string {
		return g.query(t, boss, `mutation { createToken(input: {subject: "v", roles: ["clerk"]`+more+`}) { findings } }`)
	}
	if got := mint(""); !strings.Contains(got, `"findings":[]`) {
		t.Error(got)
	}
	if got := mint(", dashboards: null"); !strings.Contains(got, "input.dashboards is null") {
		t.Error(got)
	}
}
