package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"usher/test/noderun"
	"usher/test/program"
)

// drawn are the demo's tiles with the SQL that says what each has to show: what a
// value is called, and the value. o are the viewer's orders, i the lines of these,
// and @from, @month and @until are the dashboards'. Percent are written times 100.
var drawn = map[string]string{
	"sales/revenue":       `SELECT '', sum(total) FROM o WHERE ordered_at >= @month AND ordered_at < @until`,
	"sales/orders":        `SELECT '', count(*) FROM o WHERE ordered_at >= @month AND ordered_at < @until`,
	"sales/average-order": `SELECT '', avg(total) FROM o WHERE ordered_at >= @month AND ordered_at < @until`,
	"sales/margin":        `SELECT '', 100 * (1 - sum(quantity * cost) / sum(quantity * unit_price)) FROM i WHERE ordered_at >= @month AND ordered_at < @until`,
	"sales/revenue-by-month": `SELECT coalesce(region, 'no value') || ', ' || strftime(local, '%b %Y') AS name, sum(total)
		FROM o WHERE ordered_at >= @from GROUP BY name`,
	"sales/promotions": `WITH top AS (SELECT promotion, sum(quantity * (unit_price - cost)) AS profit, sum(quantity * cost) AS costs
			FROM i WHERE ordered_at >= @from AND promotion IS NOT NULL GROUP BY promotion ORDER BY profit DESC LIMIT 7)
		SELECT 'Profit, ' || promotion, profit FROM top UNION ALL SELECT 'Costs, ' || promotion, costs FROM top`,
	"sales/sold-this-month": `SELECT product, sum(quantity) AS n FROM i WHERE category = 'Burritos' AND ordered_at >= @month AND ordered_at < @until
		GROUP BY product ORDER BY n DESC, product LIMIT 8`,
	"sales/popular-by-region": `SELECT product || ', ' || region AS name, sum(quantity)
		FROM i WHERE category = 'Burritos' AND region IS NOT NULL AND ordered_at >= @from GROUP BY name`,
	"sales/products": `WITH sales AS (SELECT product, sum(quantity) AS sold, sum(quantity * unit_price) AS revenue, sum(quantity * (unit_price - cost)) AS profit,
			100 * (1 - sum(quantity * cost) / sum(quantity * unit_price)) AS margin, avg(unit_price) AS price FROM i WHERE ordered_at >= @from GROUP BY product)
		SELECT p.name || ', ' || c.name, CASE c.name WHEN 'Sold' THEN sold WHEN 'Revenue' THEN revenue WHEN 'Profit' THEN profit WHEN 'Margin' THEN margin ELSE price END
		FROM products p LEFT JOIN sales ON product = p.name, (VALUES ('Sold'), ('Revenue'), ('Profit'), ('Margin'), ('Average price')) c (name)`,
	"orders/channels": `SELECT channel, sum(total) FROM o WHERE ordered_at >= @from GROUP BY channel`,
	"orders/daily":    `SELECT channel || ', ' || strftime(local, '%-d %b %Y') AS name, count(*) FROM o WHERE ordered_at >= @from GROUP BY name`,
	"orders/average": `WITH w AS (SELECT strftime(date_trunc('week', local), '%-d %b %Y') AS week, avg(total) AS a, median(total::DOUBLE) AS m FROM o WHERE ordered_at >= @from GROUP BY week)
		SELECT 'Average order, ' || week, a FROM w UNION ALL SELECT 'Median total, ' || week, m FROM w`,
	"orders/prices": `SELECT coalesce(category, 'no value') || ', $' || format('{:.2f}', avg(unit_price)), sum(quantity) FROM i WHERE ordered_at >= @from GROUP BY product, category`,
	"orders/regions": `SELECT coalesce(r.region, '–') || ', ' || c.channel, (SELECT sum(total) FROM o WHERE ordered_at >= @from AND o.region IS NOT DISTINCT FROM r.region AND o.channel = c.channel)
		FROM (SELECT DISTINCT region FROM o WHERE ordered_at >= @from) r, (SELECT DISTINCT channel FROM o WHERE ordered_at >= @from) c`,
}

// TestChartsAgainstSQL reads the charts of the demo's dashboards as the chain and as
// a distributor see them, and compares each value with what DuckDB says of the file.
func TestChartsAgainstSQL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	u := program.Start(t, "demo", "--listen", "127.0.0.1:0", "--data", dir, "--orders", "3000")
	content, err := os.ReadFile(filepath.Join(dir, "shared.duckdb"))
	if err != nil {
		t.Fatal(err)
	}
	judge := filepath.Join(t.TempDir(), "judge.duckdb")
	program.WriteFile(t, judge, string(content))
	viewers := tokens(t, dir).Tokens
	for _, viewer := range []int{0, 1} {
		out := noderun.Run(t, "charts.mjs", u.Base+"/", viewers[viewer].Token, "sales", "orders")
		var shown map[string][][2]string
		if err := json.Unmarshal([]byte(out), &shown); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for tile, query := range drawn {
			compare(t, viewers[viewer].Name+" at "+tile, shown[tile], expected(t, dir, judge, viewers[viewer].Tenant, tile, query))
		}
		// Of rows: the newest are first, with their totals.
		var newest [][2]string
		for _, pair := range shown["orders/latest"] {
			if strings.HasSuffix(pair[0], ", Total") && len(newest) < 5 {
				newest = append(newest, [2]string{strconv.Itoa(len(newest)), pair[1]})
			}
		}
		compare(t, viewers[viewer].Name+" at orders/latest", newest, expected(t, dir, judge, viewers[viewer].Tenant, "orders/latest",
			`SELECT (row_number() OVER (ORDER BY ordered_at DESC) - 1)::VARCHAR AS n, total FROM o ORDER BY ordered_at DESC LIMIT 5`))
		if len(shown) != len(drawn)+2 { // the latest, and the text
			t.Errorf("%d tiles are shown, %d are known", len(shown), len(drawn)+2)
		}
	}
}

type named struct {
	name  string
	value sql.NullFloat64
}

// expected asks the copy of the demo's file for what a tile has to show.
func expected(t *testing.T, dir, judge, tenant, tile, query string) []named {
	t.Helper()
	board, _, _ := strings.Cut(tile, "/")
	days := func(name, pattern string) []string {
		text, err := os.ReadFile(filepath.Join(dir, "dashboards", name+".yml"))
		found := regexp.MustCompile(pattern).FindStringSubmatch(string(text))
		if err != nil || found == nil {
			t.Fatalf("%s has no %s: %v", name, pattern, err)
		}
		return found
	}
	month := days("sales", `gte: "([^"]+)", lt: "([^"]+)"`)
	from := days(board, `name: from[^"]*default: "([^"]+)"`)
	db, err := sql.Open("duckdb", judge)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	whose := "true"
	if tenant != "" {
		whose = "distributor_id = '" + tenant + "'"
	}
	if _, err := db.ExecContext(t.Context(), fmt.Sprintf(`
		CREATE TEMP VIEW o AS SELECT *, ordered_at AT TIME ZONE 'America/Chicago' AS local FROM orders WHERE %s;
		CREATE TEMP VIEW i AS SELECT o.ordered_at, o.region, p.name AS product, p.category, p.cost, pr.name AS promotion, l.quantity, l.unit_price
			FROM order_items l JOIN o ON o.id = l.order_id AND o.distributor_id = l.distributor_id JOIN products p ON p.id = l.product_id LEFT JOIN promotions pr ON pr.id = o.promotion_id`, whose)); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("@from", "TIMESTAMPTZ '"+from[1]+"'", "@month", "TIMESTAMPTZ '"+month[1]+"'", "@until", "TIMESTAMPTZ '"+month[2]+"'").Replace(query)
	rows, err := db.QueryContext(t.Context(), `SELECT a, b::DOUBLE FROM (`+text+`) AS t (a, b)`) //nolint:gosec // the test's own SQL
	if err != nil {
		t.Fatalf("%s: %v", tile, err)
	}
	defer func() { _ = rows.Close() }()
	var out []named
	for rows.Next() {
		var one named
		if err := rows.Scan(&one.name, &one.value); err != nil {
			t.Fatal(err)
		}
		one.name = strings.ReplaceAll(one.name, "Sep ", "Sept ") // as the console's language has it
		out = append(out, one)
	}
	if err := rows.Err(); err != nil || len(out) == 0 {
		t.Fatalf("%s: %v, %d values", tile, err, len(out))
	}
	return out
}

// compare wants each value under its name, as exact as it is written.
func compare(t *testing.T, what string, shown [][2]string, want []named) {
	t.Helper()
	type written struct {
		name   string
		value  float64
		digits int
		none   bool
	}
	var got []written
	for _, pair := range shown {
		if strings.HasSuffix(pair[0], ", By month") { // small lines
			continue
		}
		text := strings.NewReplacer("$", "", ",", "", "%", "").Replace(pair[1])
		if text == "–" {
			got = append(got, written{name: pair[0], none: true})
			continue
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Errorf("%s: %s is written %s", what, pair[0], pair[1])
			return
		}
		_, fraction, _ := strings.Cut(text, ".")
		got = append(got, written{name: pair[0], value: value, digits: len(fraction)})
	}
	slices.SortFunc(got, func(a, b written) int {
		if a.name != b.name {
			return strings.Compare(a.name, b.name)
		}
		return int(math.Copysign(1, a.value-b.value))
	})
	slices.SortFunc(want, func(a, b named) int {
		if a.name != b.name {
			return strings.Compare(a.name, b.name)
		}
		return int(math.Copysign(1, a.value.Float64-b.value.Float64))
	})
	if len(got) != len(want) {
		t.Errorf("%s: %d values are shown, SQL has %d\n%v\n%v", what, len(got), len(want), got, want)
		return
	}
	for i, g := range got {
		w := want[i]
		off := math.Abs(g.value - w.value.Float64)
		if g.name != w.name || g.none == w.value.Valid || off > 0.5000001*math.Pow10(-g.digits) {
			t.Errorf("%s: %s is %v, and by SQL %s is %v", what, g.name, g.value, w.name, w.value.Float64)
		}
	}
}
