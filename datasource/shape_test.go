package datasource

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"usher/datasource/drift"
	"usher/fault"
	"usher/pgtest"
	"usher/principal"
	"usher/value"
)

// tenantDatabases makes a database for each named text of SQL, and a gate whose
// tenants have them by account. A source's own database is empty.
func tenantDatabases(t *testing.T, opts Options, statements map[string]string) (*gate, map[string]pgtest.DB) {
	t.Helper()
	s := pgtest.Start(t)
	g := open(t, s.Database(t), opts, `
sources: {silo: {`+server(s.Database(t))+`, template: true}}
strategies: {own: {kind: database, source: silo}}
datasets:
  orders:
    tenant: tenant
    key: id
    columns: {tenant: String!, id: BigInt!, amount: {type: Decimal, precision: 12, scale: 2}, note: String, state: {type: Enum, name: State, labels: [open, paid]}}
    bind: {silo: {columns: {tenant: ~}}}
  items: {tenant: tenant, columns: {tenant: String!, id: Int!}, bind: {silo: {columns: {tenant: ~}}}}
`)
	dbs := make(map[string]pgtest.DB, len(statements))
	for name, text := range statements {
		dbs[name] = s.Database(t)
		dbs[name].Exec(t, text)
	}
	return g, dbs
}

func at(tenant string, db pgtest.DB) principal.Principal {
	p := named(tenant)
	p.Routing.Accounts = map[string]principal.Account{"silo": {Database: db.Name, Password: db.Password}}
	return p
}

func (g *gate) refused(p principal.Principal, text string, message, cause string) {
	g.Helper()
	rows, err := g.ask(p, text)
	if err == nil {
		g.Errorf("%s asks %s and gets %v", p.Tenant, text, rows)
		return
	}
	f := fault.From(err)
	if f.Code != fault.Unavailable || f.RetryAfter != 0 || !strings.Contains(f.Message, message) || !strings.Contains(err.Error(), cause) {
		g.Errorf("%s asks %s: %v, want %q because of %q", p.Tenant, text, err, message, cause)
	}
	if strings.Contains(f.Message+f.Hint, "test_") {
		g.Errorf("the message %q names a database", f.Message)
	}
}

const goodOrders = `CREATE TYPE state AS ENUM ('open', 'paid');
	CREATE TABLE orders (id bigint PRIMARY KEY, amount numeric(12,2), note text, state state);
	INSERT INTO orders VALUES (1, 2.5, 'x', 'open');`

func TestDrift(t *testing.T) {
	t.Parallel()
	g, dbs := tenantDatabases(t, Options{}, map[string]string{
		"good":    goodOrders + "CREATE TABLE items (id int NOT NULL); INSERT INTO items VALUES (7);",
		"column":  goodOrders + "ALTER TABLE orders DROP COLUMN note;",
		"type":    goodOrders + "ALTER TABLE orders ALTER amount TYPE double precision;",
		"scale":   goodOrders + "ALTER TABLE orders ALTER amount TYPE numeric(12,3);",
		"null":    goodOrders + "ALTER TABLE orders DROP CONSTRAINT orders_pkey; ALTER TABLE orders ALTER id DROP NOT NULL;",
		"label":   goodOrders + "ALTER TYPE state ADD VALUE 'lost';",
		"fewer":   goodOrders + "ALTER TYPE state RENAME VALUE 'paid' TO 'lost';",
		"order":   goodOrders + "ALTER TYPE state RENAME VALUE 'paid' TO 'x'; ALTER TYPE state RENAME VALUE 'open' TO 'paid'; ALTER TYPE state RENAME VALUE 'x' TO 'open';",
		"read":    goodOrders + "ALTER TABLE orders ALTER note TYPE inet USING '10.0.0.1';",
		"extra":   goodOrders + "ALTER TABLE orders ADD extra text;",
		"nothing": "",
	})
	all := "orders { id amount note state }"
	for range 2 {
		g.want(at("good", dbs["good"]), all, "1|2.50|x|open")
		g.want(at("good", dbs["good"]), "items { id }", "7")
		g.want(at("extra", dbs["extra"]), all, "1|2.50|x|open")
		g.refused(at("column", dbs["column"]), all, "orders.note is not what the catalog says in this tenant's database: it is not there", "column")
		g.refused(at("type", dbs["type"]), all, "orders.amount is not", "double precision")
		g.refused(at("scale", dbs["scale"]), all, "3 digits after the point", "numeric(12,3)")
		g.refused(at("null", dbs["null"]), all, "orders.id is not what the catalog says", "may be null")
		g.want(at("label", dbs["label"]), all, "1|2.50|x|open")
		g.refused(at("fewer", dbs["fewer"]), all, "its labels are open, lost, not open, paid", "orders.state")
		g.refused(at("order", dbs["order"]), all, "its labels are paid, open, not open, paid", "orders.state")
		g.refused(at("read", dbs["read"]), all, "it is inet, which is read otherwise than the column is", "orders.note")
		g.refused(at("nothing", dbs["nothing"]), all, "orders is not what the catalog says", "there is no table public.orders")
		g.refused(at("good", dbs["nothing"]), "items { id }", "items is not", "there is no table public.items")
		// What differs refuses what reads it, not the rest.
		g.want(at("column", dbs["column"]), "orders { id state }", "1|open")
		g.want(at("type", dbs["type"]), "orders { note }", "x")
		g.refused(at("column", dbs["column"]), `orders(where: {note: {eq: "x"}}) { id }`, "orders.note", "not there")
		g.refused(at("column", dbs["column"]), "ordersAggregate { key { note } count }", "orders.note", "not there")
		// A column that nobody asked for is not named.
		g.refused(at("null", dbs["null"]), "orders { note }", "orders is not what the catalog says", "orders.id of silo of null")
	}
}

// A row with a label that came later is told as an error wherever the label would be shown, and is never
// shown as another.
func TestLabelsThatCameLater(t *testing.T) {
	t.Parallel()
	g, dbs := tenantDatabases(t, Options{}, map[string]string{"label": goodOrders + "ALTER TYPE state ADD VALUE 'lost' BEFORE 'paid';"})
	dbs["label"].Exec(t, "INSERT INTO orders VALUES (2, 3.5, 'y', 'lost'), (3, 4.5, 'z', 'paid')")
	p := at("label", dbs["label"])
	g.want(p, "orders(orderBy: [{id: ASC}]) { id }", "1", "2", "3")
	g.want(p, "orders(orderBy: [{state: ASC}]) { id }", "1", "2", "3")
	g.want(p, "orders(where: {state: {eq: open}}) { id state }", "1|open")
	g.want(p, "orders(where: {state: {in: [open, paid]}}, orderBy: [{id: ASC}]) { id state }", "1|open", "3|paid")
	g.want(p, "orders(where: {state: {neq: open}}, orderBy: [{id: ASC}]) { id }", "2", "3")
	for _, text := range []string{
		"orders { id state }", "orders(where: {state: {neq: open}}) { state }", "ordersAggregate { key { state } count }",
	} {
		if rows, err := g.ask(p, text); !errors.Is(err, value.ErrLabel) {
			t.Errorf("%s is answered %v, %v", text, rows, err)
		}
	}
}

// So it is where rows of two databases are combined.
func TestLabelsThatCameLaterCombined(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	one, two := s.Database(t), s.Database(t)
	one.Exec(t, `CREATE TYPE mood AS ENUM ('good', 'fair', 'bad'); CREATE TABLE moods (id int PRIMARY KEY, tenant text NOT NULL, place int, mood mood);
		INSERT INTO moods VALUES (1, 'a', 1, 'good'), (2, 'a', 1, 'fair'), (3, 'a', 1, 'bad')`)
	two.Exec(t, "CREATE TABLE places (id int PRIMARY KEY, name text NOT NULL); INSERT INTO places VALUES (1, 'x')")
	g := open(t, one, Options{}, `
sources: {one: {`+server(one)+`}, two: {`+server(two)+`}}
strategies: {own: {kind: shared, source: one}}
datasets:
  moods: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, place: Int, mood: {type: Enum, name: Mood, labels: [good, bad]}}, relations: {at: {to: places, on: {place: id}}}}
  places: {common: true, source: two, key: id, columns: {id: Int!, name: String!}, relations: {}}
`)
	p := named("a")
	g.want(p, `moods(where: {at: {name: {eq: "x"}}}, orderBy: [{id: ASC}]) { id }`, "1", "2", "3")
	g.want(p, `moodsAggregate(where: {at: {name: {eq: "x"}}, mood: {eq: good}}) { key { mood } count }`, "good|1")
	for _, text := range []string{
		`moods(where: {at: {name: {eq: "x"}}}) { id mood }`, `moods(orderBy: [{at: {name: ASC}}, {mood: ASC}]) { id }`,
		`moodsAggregate(where: {at: {name: {eq: "x"}}}) { key { mood } count }`, `moodsAggregate(where: {at: {name: {eq: "x"}}, mood: {neq: good}}) { count }`,
	} {
		if rows, err := g.ask(p, text); !errors.Is(err, value.ErrLabel) || fault.From(err).Code != fault.NotImplemented || fault.From(err).Hint == "" {
			t.Errorf("%s is answered %v, %v", text, rows, err)
		}
	}
}

// Tables that change while they are known to be good are looked at again when
// a statement fails on them; tables that differ are, after a moment.
func TestDriftLater(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	g, dbs := tenantDatabases(t, Options{Clock: clock}, map[string]string{"good": goodOrders})
	p := at("good", dbs["good"])
	g.want(p, "orders { id note }", "1|x")
	dbs["good"].Exec(t, "ALTER TABLE orders RENAME note TO remark")
	g.refused(p, "orders { id note }", "orders.note is not what the catalog says in this tenant's database: it is not there", "there")
	g.want(p, "orders { id }", "1")
	dbs["good"].Exec(t, "ALTER TABLE orders RENAME remark TO note")
	g.refused(p, "orders { id note }", "orders.note", "there") // nobody has looked again yet
	later.Store(int64(drift.LookAgain))
	g.want(p, "orders { id note }", "1|x")
}

// A tenant whose database cannot be reached is that tenant's trouble alone.
func TestUnreachableTenants(t *testing.T) {
	t.Parallel()
	g, dbs := tenantDatabases(t, Options{Accounts: 2}, map[string]string{"good": goodOrders})
	for range 3 {
		for _, dead := range []principal.Account{
			{Database: "test_nowhere", Password: dbs["good"].Password},
			{Database: dbs["good"].Name, Password: "wrong"},
			{Database: dbs["good"].Name, User: "test_nobody", Password: "wrong"},
		} {
			p := named("dead")
			p.Routing.Accounts = map[string]principal.Account{"silo": dead}
			_, err := g.ask(p, "orders { id }")
			if f := fault.From(err); err == nil || f.Code != fault.Unavailable || strings.Contains(f.Message, "test_") {
				t.Errorf("got %v", err)
			}
		}
		schema := at("good", dbs["good"])
		schema.Routing.Accounts["silo"] = principal.Account{Database: dbs["good"].Name, Password: dbs["good"].Password, Schema: "elsewhere"}
		if _, err := g.ask(schema, "orders { id }"); err == nil || !strings.Contains(err.Error(), `has no schema "elsewhere"`) {
			t.Errorf("a schema that is not there: %v", err)
		}
		g.want(at("good", dbs["good"]), "orders { id }", "1")
	}
}

// Whose host an override names is dialed only at a public address, unless the
// source allows others.
func TestOverriddenHostsAreJudgedByTheirAddress(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, "CREATE TABLE orders (id bigint NOT NULL); INSERT INTO orders VALUES (1)")
	const datasets = `
strategies: {shared: {kind: shared, source: a}}
datasets: {orders: {common: true, source: a, columns: {id: BigInt!}}}
`
	hosts := `, allow_hosts: [localhost, 127.0.0.1, "::1", "::ffff:127.0.0.1", 0.0.0.0]`
	p := named("acme")
	for _, host := range []string{"localhost", "LOCALHOST", "127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0"} {
		g := open(t, db, Options{}, "sources: {a: {"+server(db)+hosts+"}}"+datasets)
		p.Grant.Accounts = map[string]principal.Account{"a": {Host: host, Password: db.Password}}
		if _, err := g.ask(p, "orders { id }"); err == nil || !strings.Contains(err.Error(), "is not a public address") {
			t.Errorf("%s: %v", host, err)
		}
		g.want(named("acme"), "orders { id }", "1") // the source's own host is the operator's word
	}
	g := open(t, db, Options{}, "sources: {a: {"+server(db)+hosts+", allow_private: true}}"+datasets)
	p.Grant.Accounts = map[string]principal.Account{"a": {Host: "127.0.0.1", Password: db.Password}}
	g.want(p, "orders { id }", "1")
}
