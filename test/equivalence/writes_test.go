package equivalence

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"usher/config"
	"usher/pgtest"
	"usher/principal"
)

// writtenConfig is the same shop in two ways: tenants share tables, or one has its own.
const writtenConfig = `
sources:
  shop: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}
%[4]s
strategies: {all: {kind: shared, source: shop}}
default_strategy: all
%[5]s
datasets:
  customers:
    tenant: tenant
    key: id
    writable: true
    version: version
    filter: {name: {neq: hidden}}
    columns: {id: Int!, tenant: String!, name: String, code: String, version: Int!, born: Date, seen: Timestamp, due: Time, vip: Boolean, score: Float, points: BigInt, state: {type: Enum, name: State, labels: [open, closed, held]}, ref: UUID}
    relations: {orders: {to: orders, many: true, on: {id: customer_id}}}
  orders:
    tenant: tenant
    key: id
    writable: true
    cache: 1h
    presets: {insert: {made_by: $subject}, update: {made_by: $subject}}
    columns: {id: Int!, tenant: String!, customer_id: Int, amount: {type: Decimal, precision: 8, scale: 2}, note: String, made_by: String, doc: JSON, tags: "[String]"}
    relations:
      customer: {to: customers, on: {customer_id: id}}
      lines: {to: lines, many: true, on: {id: order_id}, on_delete: cascade}
      notes: {to: notes, many: true, on: {id: order_id}, on_delete: unlink}
  lines:
    tenant: tenant
    key: [order_id, line]
    writable: true
    columns: {tenant: String!, order_id: Int!, line: Int!, sku: String}
    relations: {order: {to: orders, on: {order_id: id}}}
  notes:
    tenant: tenant
    key: id
    writable: true
    version: version
    columns: {tenant: String!, id: Int!, order_id: Int, version: Int!}
    relations: {order: {to: orders, on: {order_id: id}}}
`

// writtenTables are the tables of all tenants, or, without the tenant's column, of one.
func writtenTables(tenant bool) string {
	text := `
CREATE TYPE state AS ENUM ('open', 'closed', 'held');
CREATE TABLE customers (tenant text NOT NULL, id int NOT NULL, name varchar(12), code text, version int NOT NULL,
	born date, seen timestamp with time zone, due time, vip boolean, score double precision, points bigint DEFAULT 7, state state, ref uuid, PRIMARY KEY (tenant, id), UNIQUE (tenant, code));
CREATE TABLE orders (tenant text NOT NULL, id int NOT NULL, customer_id int, amount numeric(8,2) CHECK (amount < 1000), note text, made_by text, doc jsonb, tags text[],
	PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, customer_id) REFERENCES customers (tenant, id));
CREATE TABLE lines (tenant text NOT NULL, order_id int NOT NULL, line int NOT NULL, sku text, PRIMARY KEY (tenant, order_id, line));
CREATE TABLE notes (tenant text NOT NULL, id int NOT NULL, order_id int, version int NOT NULL, PRIMARY KEY (tenant, id));`
	if !tenant {
		return strings.NewReplacer("tenant text NOT NULL, ", "", "tenant, ", "").Replace(text)
	}
	return text
}

// writer makes mutations of one tenant.
type writer struct {
	*rand.Rand
	kinds int // of changes; the last ones nest rows
}

func (w writer) pick(from ...string) string { return from[w.IntN(len(from))] }

func (w writer) id() string { return fmt.Sprint(1 + w.IntN(9)) }

func (w writer) idOrNull() string {
	if w.IntN(5) == 0 {
		return "null"
	}
	return w.id()
}

// member adds a member, or leaves it out.
func (w writer) member(name, value string) string {
	if w.IntN(3) == 0 {
		return ""
	}
	return name + ": " + value + ", "
}

func (w writer) order() string {
	return w.member("customer_id", w.idOrNull()) +
		w.member("amount", w.pick("1", "2.50", "-3", "999.99", "1000", "1.234", "null")) + w.member("note", w.pick(`"a"`, `"b\"'\\"`, `""`, "null", `"ü☃"`)) +
		w.member("doc", w.pick(`{a: [1, null], b: "x"}`, `null`, `"text"`, `[{}]`)) + w.member("tags", w.pick(`["x", null, ""]`, `[]`, `"one"`, `null`, `["a,b", "{c}", "\"d\\"]`))
}

func (w writer) customer() string {
	return w.member("name", w.pick(`"Ann"`, `"Bob"`, `"hidden"`, `"a name that is long"`, "null")) + w.member("code", w.pick(`"c1"`, `"c2"`, `"c3"`, `"c4"`, "null"))
}

func (w writer) where() string {
	return w.pick(
		`where: {id: {in: [`+w.id()+`, `+w.id()+`, `+w.id()+`]}}`, `where: {id: {lte: `+w.id()+`}}`, `all: true`, `where: {id: {eq: `+w.id()+`}}`,
		`where: {not: {id: {gt: `+w.id()+`}}}`, `where: {}`, `where: {id: {in: []}}`,
	)
}

// nested are rows within a row, or what it is linked to.
func (w writer) nested() string {
	return w.pick(
		`customer: {link: {id: `+w.id()+`}}, `, `customer: {insert: {id: `+w.id()+`, `+w.customer()+`}}, `, `customer: null, `,
		`lines: [{line: 1, sku: "a"}, {line: `+w.id()+`}], `, `notes: {id: `+w.id()+`}, `, `lines: [], `,
		`customer: {insert: {id: `+w.id()+`, orders: {id: `+w.id()+`, lines: {line: 3}}}}, lines: {line: 4}, `,
	)
}

const (
	orderFields    = `{ id note amount made_by doc tags customer { id name version } lines(orderBy: [{line: ASC}]) { line sku } notes(orderBy: [{id: ASC}]) { id version } }`
	customerFields = `{ id name code version orders(orderBy: [{id: DESC}]) { id note } }`
	orderRows      = ` { affected rows ` + orderFields + ` sorted: rows(orderBy: [{amount: DESC}, {id: ASC}], limit: 2) { id } }`
	customerRows   = ` { affected rows ` + customerFields + ` }`
)

func (w writer) field() string {
	limit := ""
	if w.IntN(3) == 0 {
		limit = ", limit: " + w.pick("0", "1", "2")
	}
	switch w.IntN(w.kinds) {
	case 0:
		return `insertOrdersOne(row: {id: ` + w.id() + `, ` + w.order() + `}) ` + orderFields
	case 1:
		rows := ""
		for range 1 + w.IntN(3) {
			rows += `{id: ` + w.id() + `, ` + w.order() + `}, `
		}
		return `insertOrders(rows: [` + rows + `])` + orderRows
	case 2:
		return `insertOrders(rows: [{id: ` + w.id() + `, ` + w.order() + `}, {id: ` + w.id() + `, note: "again"}])` + orderRows
	case 3, 4:
		return `insertCustomersOne(row: {id: ` + w.id() + `, ` + w.customer() + `}) ` + customerFields
	case 5:
		return `updateOrders(` + w.where() + `, set: {` + w.order() + `}` + limit + `)` + orderRows
	case 6:
		return `updateOrdersByPk(id: ` + w.id() + `, set: {` + w.order() + `}) ` + orderFields
	case 7:
		return `updateOrdersByPk(id: ` + w.id() + `, set: {note: "more"}, increment: {amount: ` + w.pick("1", "-0.5", "900") + `}) ` + orderFields
	case 8:
		return `updateCustomersByPk(id: ` + w.id() + `, set: {` + w.customer() + `}` + w.pick("", ", version: 1", ", version: 2") + `) ` + customerFields
	case 9:
		return `deleteOrders(` + w.where() + limit + `)` + orderRows
	case 11:
		return `insertOrdersOne(row: {id: ` + w.id() + `, ` + w.nested() + `}) ` + orderFields
	case 12:
		return `insertOrders(rows: [{id: ` + w.id() + `, ` + w.nested() + `}, {id: ` + w.id() + `, note: "b", ` + w.nested() + `}])` + orderRows
	case 13:
		return `insertCustomersOne(row: {id: ` + w.id() + `, ` + w.customer() + `orders: [{id: ` + w.id() + `, note: "n"}, {id: ` + w.id() + `, lines: {line: 1}}]}) ` + customerFields
	case 14:
		return `updateOrders(` + w.where() + `, set: {customer: ` + w.pick(`{unlink: true}`, `{link: {id: `+w.id()+`}}`) + `})` + orderRows
	case 15:
		return `deleteOrders(` + w.where() + limit + `)` + orderRows
	case 16:
		return `insertOrders(rows: [{id: ` + w.id() + `, note: "u"}, {id: ` + w.id() + `, note: "v"}], onConflict: {key: id, update: [` + w.pick("note", "note, amount") + `]})` + orderRows
	case 10:
		return `deleteCustomersByPk(id: ` + w.id() + `) ` + customerFields
	}
	return `deleteOrdersByPk(id: ` + w.id() + `) ` + orderFields
}

func (w writer) mutation() string {
	text := "mutation {"
	for i := range 1 + w.IntN(2) {
		text += fmt.Sprintf(" f%d: %s", i, w.field())
	}
	return text + " }"
}

// TestWritesAreTheSame makes random mutations of a tenant in tables that tenants share and in
// tables of its own: answers are the same, and so are the tables afterwards. Of the other
// tenants nothing changes, and nothing of theirs can be told from the answers: their
// rows have the same keys.
func TestWritesAreTheSame(t *testing.T) {
	t.Parallel()
	shared, own := pgtest.Start(t).Database(t), pgtest.Start(t).Database(t)
	shared.Exec(t, writtenTables(true))
	own.Exec(t, writtenTables(false))
	shared.Exec(t, `
INSERT INTO customers SELECT t, n, 'of ' || t, 'c' || n, 1 FROM unnest(ARRAY['bistro', 'cantina']) t, generate_series(1, 9) n;
INSERT INTO orders (tenant, id, customer_id, note) SELECT t, n, n, 'of ' || t FROM unnest(ARRAY['bistro', 'cantina']) t, generate_series(1, 9) n;
INSERT INTO lines SELECT t, n, 1, 'of ' || t FROM unnest(ARRAY['bistro', 'cantina']) t, generate_series(1, 9) n;
INSERT INTO notes SELECT t, n, n, 1 FROM unnest(ARRAY['bistro', 'cantina']) t, generate_series(1, 9) n`)
	open := func(more, bind string) *gateway {
		text := fmt.Sprintf(writtenConfig, shared.Name, shared.User, shared.Port, more, bind)
		cfg, err := config.Parse("usher.yml", []byte(text), func(string) (string, bool) { return shared.Password, true })
		if err != nil {
			t.Fatal(err)
		}
		return newGateway(t, cfg.Spec)
	}
	together := open("", "")
	apart := open(
		fmt.Sprintf("  own: {kind: postgres, host: 127.0.0.1, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable}", own.Port, own.Name, own.User),
		"tenants: {acme: {bind: {customers: {source: own, table: customers, columns: {tenant: ~}}, orders: {source: own, table: orders, columns: {tenant: ~}}, lines: {source: own, table: lines, columns: {tenant: ~}}, notes: {source: own, table: notes, columns: {tenant: ~}}}}}",
	)
	who := principal.Principal{Subject: "ana", Tenant: "acme", TenantKey: "acme", Scopes: []principal.Scope{principal.ReadData, principal.WriteData}}
	sharedRows, ownRows := shared.Open(t), own.Open(t)
	w := writer{rand.New(rand.NewPCG(11, 7)), 18}
	others := tablesOf(t, sharedRows, false)
	done, refused := 0, make(map[string]int)
	for n := range 400 {
		text := w.mutation()
		a, b := answerIn(t, together, who, text), answerIn(t, apart, who, text)
		if a != b {
			t.Fatalf("mutation %d: %s\nshared: %s\nown:    %s", n, text, a, b)
		}
		if strings.Contains(a, "of bistro") || strings.Contains(a, "of cantina") {
			t.Fatalf("%s\ntells of others: %s", text, a)
		}
		switch {
		case !strings.Contains(a, `"errors"`):
			done++
		default:
			for _, code := range []string{"CONFLICT", "NOT_FOUND", "BAD_USER_INPUT", "FORBIDDEN"} {
				if strings.Contains(a, `"`+code+`"`) {
					refused[code]++
				}
			}
			if strings.Contains(a, `"INTERNAL"`) || strings.Contains(a, `"UNAVAILABLE"`) {
				t.Fatalf("%s\n%s\n%s", text, a, together.log)
			}
		}
		if n%10 == 0 {
			read := `{ orders ` + orderFields + ` customers ` + customerFields + ` }`
			if a, b := answerIn(t, together, who, read), answerIn(t, apart, who, read); a != b {
				t.Fatalf("after %s\nshared: %s\nown:    %s", text, a, b)
			}
			if a, b := tablesOf(t, sharedRows, true), tablesOf(t, ownRows, true); a != b {
				t.Fatalf("after %s\nshared: %s\nown:    %s", text, a, b)
			}
			if now := tablesOf(t, sharedRows, false); now != others {
				t.Fatalf("after %s\nthe others have %s\nand had        %s", text, now, others)
			}
		}
	}
	if done < 50 || refused["CONFLICT"] < 5 || refused["NOT_FOUND"] < 5 || refused["BAD_USER_INPUT"] < 5 || refused["FORBIDDEN"] < 1 {
		t.Errorf("%d were done, and refused were %v: the test has nothing to prove there", done, refused)
	}
}

// tablesOf are the rows of the tenant that writes, or of all others; in tables of its own all are its.
func tablesOf(t *testing.T, db *sql.DB, its bool) string {
	t.Helper()
	var sum string
	row := db.QueryRowContext(t.Context(), `
WITH c AS (SELECT to_jsonb(x) AS r FROM customers x), o AS (SELECT to_jsonb(x) AS r FROM orders x UNION ALL SELECT to_jsonb(x) FROM lines x UNION ALL SELECT to_jsonb(x) FROM notes x)
SELECT coalesce((SELECT string_agg((r - 'tenant')::text, ';' ORDER BY r) FROM c WHERE NOT r ? 'tenant' OR (r ->> 'tenant' = 'acme') = $1), '') || '/' ||
	coalesce((SELECT string_agg((r - 'tenant')::text, ';' ORDER BY r) FROM o WHERE NOT r ? 'tenant' OR (r ->> 'tenant' = 'acme') = $1), '')`, its)
	if err := row.Scan(&sum); err != nil {
		t.Fatal(err)
	}
	return sum
}

func answerIn(t *testing.T, g *gateway, who principal.Principal, text string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	return string(g.askAs(ctx, who, operation{Query: text}))
}
