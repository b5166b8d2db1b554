package equivalence

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"usher/config"
	"usher/pgtest"
)

// TestPagesOfLaterLabels: a connection in the order of an enum is walked page by page while the type gets
// further labels, before, between and after those of the file, and rows have them. Whichever the order, the size of the pages
// and the direction, the pages are what the database has in that order.
func TestPagesOfLaterLabels(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TYPE mood AS ENUM ('good', 'fair', 'bad');
		CREATE TABLE moods (tenant text NOT NULL, id int NOT NULL, mood mood, PRIMARY KEY (tenant, id));
		INSERT INTO moods SELECT t, n, (ARRAY['good', 'fair', 'bad', NULL])[1 + n % 4]::mood FROM unnest(ARRAY['acme', 'bistro']) t, generate_series(1, 17) n`)
	cfg, err := config.Parse("usher.yml", fmt.Appendf(nil, `
sources: {pg: {kind: postgres, host: 127.0.0.1, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable}}
strategies: {all: {kind: shared, source: pg}}
default_strategy: all
datasets:
  moods: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!, mood: {type: Enum, name: Mood, labels: [good, fair, bad]}}}
`, db.Port, db.Name, db.User), func(string) (string, bool) { return db.Password, true })
	if err != nil {
		t.Fatal(err)
	}
	g, random := newGateway(t, cfg.Spec), rand.New(rand.NewPCG(5, 8))
	labels, rows := []string{"good", "fair", "bad"}, db.Open(t)
	added := func() {
		beside := labels[random.IntN(len(labels))]
		label := fmt.Sprintf("later %d", len(labels))
		db.Exec(t, fmt.Sprintf(`ALTER TYPE mood ADD VALUE '%s' %s '%s'`, label, []string{"BEFORE", "AFTER"}[random.IntN(2)], beside))
		labels = append(labels, label)
		db.Exec(t, fmt.Sprintf(`UPDATE moods SET mood = '%s' WHERE id %% 17 IN (%d, %d)`, label, random.IntN(17), random.IntN(17)))
	}
	orders := map[string]string{
		"mood: ASC": "mood NULLS LAST, id", "mood: ASC_NULLS_FIRST": "mood NULLS FIRST, id", "mood: DESC_NULLS_FIRST": "mood DESC NULLS FIRST, id", "mood: DESC": "mood DESC NULLS LAST, id",
		"mood: DESC}, {id: DESC": "mood DESC NULLS LAST, id DESC", "mood: ASC}, {id: DESC": "mood NULLS LAST, id DESC",
	}
	names := []string{"mood: ASC", "mood: ASC_NULLS_FIRST", "mood: DESC_NULLS_FIRST", "mood: DESC", "mood: DESC}, {id: DESC", "mood: ASC}, {id: DESC"}
	filters := map[string]string{"{}": "TRUE", "{mood: {isNull: false}}": "mood IS NOT NULL", "{mood: {in: [good, bad]}}": "mood IN ('good', 'bad')", "{id: {gt: 5}}": "id > 5"}
	asked := []string{"{}", "{}", "{mood: {isNull: false}}", "{mood: {in: [good, bad]}}", "{id: {gt: 5}}"}
	for range 60 {
		if len(labels) < 20 && random.IntN(2) == 0 {
			added()
		}
		order, where := names[random.IntN(len(names))], asked[random.IntN(len(asked))]
		var want []int
		var list []byte
		row := rows.QueryRowContext(t.Context(), `SELECT coalesce(json_agg(id ORDER BY `+orders[order]+`), '[]') FROM moods WHERE tenant = 'acme' AND `+filters[where])
		if err := row.Scan(&list); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(list, &want); err != nil {
			t.Fatal(err)
		}
		size, backward := 1+random.IntN(6), random.IntN(2) == 0
		first, after := "first", "after"
		if backward {
			first, after = "last", "before"
		}
		var got []int
		for cursor, pages := "", 0; pages <= len(want); pages++ {
			answer := g.askAs(t.Context(), ana("acme", ""), operation{Query: fmt.Sprintf(`query ($n: Int!, $at: String) { moodsConnection(where: %s, orderBy: [{%s}], %s: $n, %s: $at) { nodes { id } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } }`, where, order, first, after), Variables: page(size, cursor)})
			var read struct {
				Data struct {
					MoodsConnection struct {
						Nodes    []struct{ ID int }
						PageInfo struct {
							StartCursor, EndCursor       string
							HasNextPage, HasPreviousPage bool
						}
					}
				}
			}
			if err := json.Unmarshal(answer, &read); err != nil || strings.Contains(string(answer), `"code"`) {
				t.Fatalf("%s %s: %s", order, where, answer)
			}
			var ids []int
			for _, n := range read.Data.MoodsConnection.Nodes {
				ids = append(ids, n.ID)
			}
			info, more := read.Data.MoodsConnection.PageInfo, false
			if backward {
				got, cursor, more = slices.Concat(ids, got), info.StartCursor, info.HasPreviousPage
			} else {
				got, cursor, more = slices.Concat(got, ids), info.EndCursor, info.HasNextPage
			}
			if !more {
				break
			}
			if len(labels) < 20 && random.IntN(8) == 0 { // nobody has it yet
				db.Exec(t, fmt.Sprintf(`ALTER TYPE mood ADD VALUE 'later %d' BEFORE '%s'`, len(labels), labels[random.IntN(len(labels))]))
				labels = append(labels, fmt.Sprintf("later %d", len(labels)))
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("the %s %d of %s where %s, with %d labels:\npages %v\nlist  %v", first, size, order, where, len(labels), got, want)
		}
	}
	if len(labels) < 15 {
		t.Errorf("there are %d labels: nothing came later", len(labels))
	}
}

// page are the variables of a page.
func page(size int, cursor string) map[string]any {
	out := map[string]any{"n": json.Number(fmt.Sprint(size))}
	if cursor != "" {
		out["at"] = cursor
	}
	return out
}
