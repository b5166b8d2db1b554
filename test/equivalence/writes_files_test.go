package equivalence

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"usher/config"
	"usher/pgtest"
	"usher/principal"
	"usher/test/program"
)

// unbound are the tables of both engines: DuckDB has no longest text, of a row that
// others refer to it changes no column of an index, and of two things that are wrong with a
// row it names another.
var unbound = strings.NewReplacer(" CHECK (amount < 1000)", "", "varchar(12)", "text", ", FOREIGN KEY (tenant, customer_id) REFERENCES customers (tenant, id)", "")

// twice is what the engines say of rows that collide: DuckDB does not say in which
// columns where both are of one mutation.
var twice = regexp.MustCompile(`there is a row of (\w+) with the same [\w, ]+|the change of (\w+) collides with a row that is there`)

var place = regexp.MustCompile(`"at":"[^"]*",`)

// upsert is a mutation of rows that may be there already.
func (w writer) upsert() string {
	if w.IntN(2) == 0 {
		return `mutation { insertCustomers(rows: [{id: ` + w.id() + `, ` + w.customer() + `}, {id: ` + w.id() + `, ` + w.customer() + `}], onConflict: {key: ` + w.pick("id", "code") + `, update: [name]})` + customerRows + ` }`
	}
	return `mutation { insertOrders(rows: [{id: ` + w.id() + `, ` + w.order() + `}, {id: ` + w.id() + `, ` + w.order() + `}], onConflict: {key: id, update: [note, amount, ` + w.pick("doc", "tags", "customer_id") + `]})` + orderRows + ` }`
}

// TestWritesAreTheSameInFiles makes random mutations of a tenant in PostgreSQL and in a file
// of DuckDB: answers are the same, and so is what all tenants read afterwards.
func TestWritesAreTheSameInFiles(t *testing.T) {
	t.Parallel()
	db, dir := pgtest.Start(t).Database(t), t.TempDir()
	db.Exec(t, unbound.Replace(writtenTables(true)))
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), strings.NewReplacer("numeric(8,2)", "DECIMAL(8,2)", "jsonb", "JSON").Replace(unbound.Replace(writtenTables(true))))
	rows := `
INSERT INTO customers (tenant, id, name, code, version) SELECT t, n, 'of ' || t, 'c' || n, 1 FROM (SELECT unnest(ARRAY['bistro', 'cantina']) AS t) t, (SELECT unnest(ARRAY[1,2,3,4,5,6,7,8,9]) AS n) n;
INSERT INTO orders (tenant, id, customer_id, note) SELECT t, n, n, 'of ' || t FROM (SELECT unnest(ARRAY['bistro', 'cantina']) AS t) t, (SELECT unnest(ARRAY[1,2,3,4,5,6,7,8,9]) AS n) n`
	db.Exec(t, rows)
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), rows)
	text := fmt.Sprintf(writtenConfig, db.Name, db.User, db.Port, "", "")
	open := func(text string) *gateway {
		cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), func(string) (string, bool) { return db.Password, true })
		if err != nil {
			t.Fatal(err)
		}
		return newGateway(t, cfg.Spec)
	}
	server := open(text)
	file := open(regexp.MustCompile(`shop: {kind: postgres.*`).ReplaceAllString(text, "shop: {kind: duckdb, path: shop.duckdb}"))
	whose := func(tenant string) principal.Principal {
		return principal.Principal{Subject: "ana", Tenant: tenant, TenantKey: tenant, Scopes: []principal.Scope{principal.ReadData, principal.WriteData}}
	}
	w := writer{rand.New(rand.NewPCG(10, 3)), 18}
	read := `{ orders(orderBy: [{id: ASC}]) ` + orderFields + ` customers(orderBy: [{id: ASC}]) ` + customerFields + ` lines(orderBy: [{order_id: ASC}, {line: ASC}]) { order_id line sku } notes(orderBy: [{id: ASC}]) { id order_id version } }`
	others := answerIn(t, server, whose("bistro"), read) + answerIn(t, server, whose("cantina"), read)
	done, upserted, refused := 0, 0, make(map[string]int)
	for n := range 400 {
		text := w.mutation()
		if n%4 == 3 {
			text = w.upsert()
		}
		alike := func(answer string) string {
			if twice.MatchString(answer) { // nor does it say which value of the input it was
				answer = place.ReplaceAllString(answer, "")
			}
			return twice.ReplaceAllString(answer, "twice $1$2")
		}
		a, b := alike(answerIn(t, server, whose("acme"), text)), alike(answerIn(t, file, whose("acme"), text))
		if a != b {
			t.Fatalf("mutation %d: %s\nserver: %s\nfile:   %s\n%s", n, text, a, b, file.log)
		}
		if !strings.Contains(a, `"errors"`) {
			done++
			if strings.Contains(text, "onConflict") {
				upserted++
			}
		}
		for _, code := range []string{"CONFLICT", "NOT_FOUND", "BAD_USER_INPUT", "FORBIDDEN"} {
			if strings.Contains(a, `"`+code+`"`) {
				refused[code]++
			}
		}
		if n%20 > 0 {
			continue
		}
		if a, b := answerIn(t, server, whose("acme"), read), answerIn(t, file, whose("acme"), read); a != b {
			t.Fatalf("after %s\nserver: %s\nfile:   %s", text, a, b)
		}
		if now := answerIn(t, file, whose("bistro"), read) + answerIn(t, file, whose("cantina"), read); now != others {
			t.Fatalf("after %s\nthe others have %s\nand had        %s", text, now, others)
		}
	}
	if done < 50 || upserted < 10 || refused["CONFLICT"] < 5 || refused["NOT_FOUND"] < 5 || refused["BAD_USER_INPUT"] < 5 || refused["FORBIDDEN"] < 1 {
		t.Errorf("%d were done, %d of them upserts, and refused were %v: the test has nothing to prove there", done, upserted, refused)
	}
}
