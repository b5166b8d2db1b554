package inspect_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lib/pq"

	"usher/config"
	"usher/inspect"
	"usher/pgtest"
	"usher/test/program"
)

const writableShop = `
issuers:
  app: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}}
sources:
  shop: {kind: postgres, sslmode: disable, host: %s, port: %d, database: %q, user: %q, password: {env: PASSWORD}}
strategies: {all: {kind: shared, source: shop}}
datasets: %s
`

func checkShop(t *testing.T, db pgtest.DB, datasets string) *inspect.Report {
	t.Helper()
	return checkShopAs(t, db, writableShop, datasets)
}

func checkShopAs(t *testing.T, db pgtest.DB, shop, datasets string) *inspect.Report {
	t.Helper()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	text := fmt.Sprintf(shop, db.Host, db.Port, db.Name, db.User, datasets)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), func(string) (string, bool) { return db.Password, true })
	if err != nil {
		t.Fatal(err)
	}
	r, err := inspect.Check(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A materialized view that nobody has filled is told, with the statement that fills it.
func TestUnfilled(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TABLE orders (id int PRIMARY KEY, tenant text NOT NULL); CREATE MATERIALIZED VIEW "Sums" AS SELECT tenant, count(*) AS n FROM orders GROUP BY tenant WITH NO DATA`)
	const datasets, said = `{sums: {tenant: tenant, bind: {shop: {table: Sums}}}, orders: {tenant: tenant, key: id}}`, "datasets.sums: its materialized view in shop has not been filled yet"
	told := func() (out []string) {
		r := checkShop(t, db, datasets)
		if len(r.Problems) > 0 {
			t.Fatal(r.Problems)
		}
		return slices.DeleteFunc(r.Notes, func(note string) bool { return !strings.Contains(note, "has not been filled yet") })
	}
	notes := told()
	if len(notes) != 1 || !strings.HasPrefix(notes[0], said) {
		t.Fatalf("the notes are %q", notes)
	}
	_, statement, _ := strings.Cut(notes[0], "until it is: ")
	db.Exec(t, statement)
	if notes := told(); len(notes) > 0 {
		t.Errorf("after %s: %q", statement, notes)
	}
}

// A table of which row-level security gives an account no row is noted, for reading and for writing, until a policy applies to it.
func TestRowsThatPoliciesHide(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	reader, writer, group := db.Name+"_r", db.Name+"_w", db.Name+"_g"
	password := pq.QuoteLiteral(db.Password)
	db.Exec(t, `CREATE TABLE orders (tenant text, id int, note text, PRIMARY KEY (tenant, id));
		CREATE ROLE `+reader+` LOGIN PASSWORD `+password+`; CREATE ROLE `+writer+` LOGIN PASSWORD `+password+`; CREATE ROLE `+group+`;
		GRANT `+group+` TO `+reader+`; GRANT SELECT ON orders TO `+reader+`, `+writer+`; GRANT INSERT, UPDATE, DELETE ON orders TO `+writer)
	shop := strings.Replace(writableShop, "user: %q", "user: %q, writer: {user: "+writer+", password: {env: PASSWORD}}", 1)
	as := db
	as.User = reader
	const reading, writing = "datasets.orders: row-level security of public.orders in shop has no policy by which ", "datasets.orders.writable: row-level security of public.orders has no policy by which the role "
	for _, c := range []struct {
		statement string
		as        pgtest.DB
		want      []string
	}{
		{"SELECT 1", as, nil},
		{"ALTER TABLE orders ENABLE ROW LEVEL SECURITY", as, []string{reading + reader + " is shown", writing + writer + " could SELECT, INSERT, UPDATE, DELETE any row"}},
		{"SELECT 1", db, []string{writing + writer}}, // the owner reads
		{"CREATE POLICY strict ON orders AS RESTRICTIVE USING (true)", as, []string{reading, writing + writer + " could SELECT, INSERT, UPDATE, DELETE"}},
		{"CREATE POLICY grouped ON orders FOR SELECT TO " + group + " USING (true)", as, []string{writing + writer + " could SELECT, INSERT"}},
		{"CREATE POLICY reads ON orders FOR SELECT USING (true)", as, []string{writing + writer + " could INSERT, UPDATE, DELETE any row"}},
		{"CREATE POLICY writes ON orders TO " + writer + " USING (true)", as, nil},
	} {
		db.Exec(t, c.statement)
		r := checkShopAs(t, c.as, shop, "{orders: {tenant: tenant, writable: true}}")
		told := slices.DeleteFunc(r.Notes, func(note string) bool { return !strings.Contains(note, "row-level security") })
		if len(told) != len(c.want) || r.Catalog == nil {
			t.Errorf("%s: %q %q", c.statement, r.Problems, told)
			continue
		}
		for i, want := range c.want {
			if !strings.HasPrefix(told[i], want) {
				t.Errorf("%s: %q, want %q", c.statement, told[i], want)
			}
		}
	}
}

// Where the only server is a standby nothing is written, and a check notes it.
func TestWritingToAStandby(t *testing.T) {
	t.Parallel()
	first := pgtest.StartOwn(t)
	db := first.Database(t)
	db.Exec(t, `CREATE TABLE orders (tenant text, id int, note text, PRIMARY KEY (tenant, id))`)
	second := first.Standby(t)
	for _, c := range []struct {
		writable string
		at       pgtest.DB
		noted    bool
	}{{", writable: [update]", db.On(second), true}, {"", db.On(second), false}, {", writable: [update]", db, false}} {
		r := checkShop(t, c.at, "{orders: {tenant: tenant"+c.writable+"}}")
		if noted := strings.Contains(strings.Join(r.Notes, "\n"), "sources.shop: its server is a standby"); len(r.Problems) > 0 || noted != c.noted {
			t.Errorf("%+v: %q %q", c, r.Problems, r.Notes)
		}
	}
}

// The statements that a check names mend what stands in the way of writing.
func TestWhatMendsWriting(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
		CREATE TABLE orders (id int CONSTRAINT "Order key" PRIMARY KEY, tenant text NOT NULL, code text NOT NULL UNIQUE, "Mail" text);
		CREATE UNIQUE INDEX "by Mail" ON orders ("Mail");
		CREATE UNIQUE INDEX lowered ON orders (lower(code));
		CREATE UNIQUE INDEX again ON orders (id); ALTER TABLE orders ADD UNIQUE (id); CREATE UNIQUE INDEX ON orders (code);
		INSERT INTO orders VALUES (1, 'acme', 'a', 'a@b'), (2, 'globex', 'b', 'b@c');`)
	const datasets = "{orders: {tenant: tenant, writable: true}}"
	r := checkShop(t, db, datasets)
	if len(r.Problems) != 4 || r.Catalog != nil {
		t.Fatalf("the problems are\n%s", strings.Join(r.Problems, "\n"))
	}
	for _, problem := range r.Problems {
		if _, statement, ok := strings.Cut(problem, " is taken, or "); ok && strings.HasSuffix(statement, ";") {
			db.Exec(t, statement)
		} else if !strings.Contains(problem, "the unique index lowered holds no tenant") {
			t.Errorf("nothing mends %s", problem)
		}
	}
	db.Exec(t, "CREATE UNIQUE INDEX ON orders (tenant, lower(code)); DROP INDEX lowered;")
	if r = checkShop(t, db, datasets); len(r.Problems) > 0 || r.Catalog == nil || r.Catalog.Dataset("orders").Writes == nil {
		t.Errorf("the problems are\n%s", strings.Join(r.Problems, "\n"))
	}
	db.Exec(t, "INSERT INTO orders VALUES (1, 'globex', 'a', 'a@b')")

	// What the database takes along is refused until it does not; what is said to be enough is.
	db.Exec(t, `CREATE TABLE notes (order_id int, tenant text, n int, PRIMARY KEY (tenant, n), FOREIGN KEY (tenant, order_id) REFERENCES orders ON DELETE CASCADE);
		CREATE TABLE lists (tenant text, id int PRIMARY KEY);
		CREATE TABLE lines (list int REFERENCES lists ON DELETE CASCADE, n int, PRIMARY KEY (list, n)); CREATE TABLE pins (tenant text, list int, again int)`)
	const (
		orders = "orders: {tenant: tenant, writable: true}"
		lists  = "lists: {tenant: tenant, global_keys: true, writable: true}"
		same   = "let the foreign key pair the tenant columns of both, or make those rows a tenant's by it"
	)
	for datasets, want := range map[string]string{
		orders: "takes rows of public.notes along, which no dataset serves (ON DELETE CASCADE): make the foreign key ON DELETE NO ACTION and say `on_delete` at the relation that leads there, or " +
			"serve public.notes as a dataset with all columns of the foreign key and `writable: [delete]`, and " + same,
		orders + ", notes: {tenant: tenant}": "which are not to be deleted (ON DELETE CASCADE): make the foreign key ON DELETE NO ACTION and say `on_delete` at the relation that leads there, or say `writable: [delete]` for notes",
		orders + ", notes: {tenant: tenant, key: n, writable: [delete], columns: {tenant: {}, n: {}}}": "which may be another tenant's (ON DELETE CASCADE): make the foreign key ON DELETE NO ACTION and say `on_delete` at the relation that leads there, or " +
			"make all columns of the foreign key columns of both datasets, and " + same,
		orders + ", notes: {tenant: tenant, writable: [delete]}": "",
	} {
		if all := strings.Join(checkShop(t, db, "{"+datasets+"}").Problems, "\n"); want == "" && all != "" || !strings.Contains(all, want) || strings.Contains(all, "\n") {
			t.Errorf("%s: the problems are\n%s", datasets, all)
		}
	}
	for _, c := range []struct{ lines, pins, want string }{
		{"{tenant: {through: of}, writable: [delete], relations: {of: {to: lists, on: {list: id}}}}", "", ""},
		{"{tenant: {through: of}, relations: {of: {to: lists, on: {list: id}}}}", "", "or say `writable: [delete]` for lines"},
		{"{tenant: {through: of}, writable: [delete], relations: {of: {to: lists, on: {list: id}}}}", ", pins: {tenant: tenant}", "which may be another tenant's, and are not to be deleted (ON DELETE CASCADE): make the foreign key ON DELETE NO ACTION and say `on_delete` at the relation that leads there, or " + same + " (`tenant: {through: …}`), and say `writable: [delete]` for pins"},
	} {
		if c.pins != "" {
			db.Exec(t, "ALTER TABLE pins ADD FOREIGN KEY (list) REFERENCES lists ON DELETE CASCADE, ADD FOREIGN KEY (again) REFERENCES lists ON DELETE CASCADE")
		}
		if all := strings.Join(checkShop(t, db, "{"+lists+", lines: "+c.lines+c.pins+"}").Problems, "\n"); c.want == "" && all != "" || !strings.Contains(all, c.want) || strings.Contains(all, "\n") {
			t.Errorf("%s%s: the problems are\n%s", c.lines, c.pins, all)
		}
	}

	// Rows that are kept when they are deleted would be gone with the one that they refer to.
	db.Exec(t, `ALTER TABLE notes ADD gone timestamptz`)
	const kept = "notes: {tenant: tenant, writable: [delete], deleted: {at: gone}}}"
	r = checkShop(t, db, "{orders: {tenant: tenant, writable: true}, "+kept)
	if all := strings.Join(r.Problems, "\n"); !strings.Contains(all, "removes rows of public.notes for good, which `deleted:` of notes is to keep") || len(r.Problems) != 1 {
		t.Errorf("the problems are\n%s", all)
	}
	db.Exec(t, `ALTER TABLE orders ADD gone timestamptz`)
	if r = checkShop(t, db, "{orders: {tenant: tenant, writable: true, deleted: {at: gone}}, "+kept); len(r.Problems) > 0 {
		t.Errorf("both are kept: %s", strings.Join(r.Problems, "\n"))
	}

	// Rows that are a tenant's by the one that is deleted would be nobody's.
	db.Exec(t, `DROP TABLE notes; DELETE FROM orders; CREATE UNIQUE INDEX ON orders (id);
		CREATE TABLE notes (id int PRIMARY KEY, order_id int REFERENCES orders (id) ON DELETE SET NULL (order_id))`)
	r = checkShop(t, db, "{orders: {tenant: tenant, writable: true, global_keys: true}, notes: {tenant: {through: order}, writable: [update, delete], global_keys: true}}")
	if all := strings.Join(r.Problems, "\n"); !strings.Contains(all, "deleting changes rows of public.notes") || len(r.Problems) != 1 {
		t.Errorf("the problems are\n%s", all)
	}
}

// A key that says whose rows of others are is not to be dropped: they are named instead.
func TestKeysThatOthersRelyOn(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
		CREATE TABLE orders (id int PRIMARY KEY, tenant text NOT NULL);
		CREATE TABLE lines (order_id int NOT NULL REFERENCES orders, no int NOT NULL, PRIMARY KEY (order_id, no));
		CREATE TABLE more (parent int NOT NULL) INHERITS (lines);`)
	const datasets = "{orders: {tenant: tenant, writable: true}, lines: {tenant: {through: order}, relations: {order: {to: orders, on: {order_id: id}}}}}"
	all := strings.Join(checkShop(t, db, datasets).Problems, "\n")
	if !strings.Contains(all, "the primary key (id) holds no tenant") || !strings.Contains(all, "give lines a tenant column first") || strings.Contains(all, "DROP CONSTRAINT") {
		t.Error(all)
	}
	db.Exec(t, `CREATE TABLE elsewhere () INHERITS (orders)`)
	all = strings.Join(checkShop(t, db, datasets).Problems, "\n")
	if !strings.Contains(all, "tables inherit from orders, and no key tells their rows from its own, so a row of lines could lead to two") {
		t.Error(all)
	}
}

// Numbers that are counted for all tenants tell of others; the statement that is named makes
// them tell nothing.
func TestSequencesTell(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
		CREATE TABLE hidden (id int PRIMARY KEY);
		CREATE TABLE orders (tenant text NOT NULL, id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, "No" serial UNIQUE, line serial, other int REFERENCES hidden);
		CREATE TABLE prices (id serial PRIMARY KEY);
		CREATE TABLE companies (id serial PRIMARY KEY);
		CREATE TABLE names (tenant text NOT NULL, id text DEFAULT 'x' || gen_random_uuid() PRIMARY KEY, hidden int NOT NULL REFERENCES hidden);
		INSERT INTO orders VALUES ('acme'), ('globex');`)
	const datasets = "{orders: {tenant: tenant, writable: true}, prices: {common: true, writable: true}, companies: {tenant: id, writable: true}, names: {tenant: tenant, writable: true}}"
	r := checkShop(t, db, datasets)
	if len(r.Problems) > 0 {
		t.Fatalf("the problems are\n%s", strings.Join(r.Problems, "\n"))
	}
	notes := slices.DeleteFunc(r.Notes, func(note string) bool { return strings.Contains(note, "CREATE INDEX") })
	said := strings.Join(notes, "\n")
	for _, want := range []string{"datasets.orders.columns.id: shop counts it", "datasets.orders.columns.No: shop counts it", "a uuid tells nothing; it is of no key, so", "datasets.orders: (other) refers to public.hidden"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said:\n%s", want, said)
		}
	}
	if strings.Contains(said, "prices") || strings.Contains(said, "companies.columns.id") || strings.Contains(said, "names.columns.id") {
		t.Errorf("the notes are\n%s", said)
	}
	led := strings.Join(checkShop(t, db, strings.Replace(datasets, "names: {", "pins: {tenant: tenant, bind: {shop: {table: names}}, columns: {tenant: String, hidden: Int}, relations: {order: {to: orders, on: {hidden: id}}}}, names: {", 1)).Notes, "\n")
	if !strings.Contains(led, "tells nothing: relations lead to it") || strings.Contains(led, `COLUMN "id" DROP`) {
		t.Errorf("of a column that a relation leads to: %s", led)
	}
	db.Exec(t, "CREATE TABLE pins (tenant text NOT NULL, of int REFERENCES orders)") // with it the statement would fail
	led = strings.Join(checkShop(t, db, datasets).Notes, "\n")
	if !strings.Contains(led, "tells nothing: foreign keys lead to it (1)") || strings.Contains(led, `COLUMN "id" DROP`) || !strings.Contains(led, `COLUMN "No" DROP DEFAULT`) {
		t.Errorf("of a column that another table refers to: %s", led)
	}
	db.Exec(t, "DROP TABLE pins; CREATE TABLE refunds (tenant text NOT NULL, order_id int)") // with which it would lose what it leads to
	led = strings.Join(checkShop(t, db, datasets).Notes, "\n")
	if !strings.Contains(led, "tells nothing: public.refunds.order_id looks like a reference to it, so") || strings.Contains(led, `COLUMN "id" DROP`) {
		t.Errorf("of a column that another is called like a reference to: %s", led)
	}
	db.Exec(t, "DROP TABLE refunds")
	for _, note := range notes {
		if _, statement, ok := strings.Cut(note, "may have kept the one it has: "); ok {
			db.Exec(t, statement)
		}
	}
	db.Exec(t, `ALTER TABLE orders DROP line; INSERT INTO orders (tenant) VALUES ('acme')`)
	if r = checkShop(t, db, datasets); strings.Contains(strings.Join(r.Notes, "\n"), "counts it") || len(r.Problems) > 0 {
		t.Errorf("after mending: %s\n%s", strings.Join(r.Problems, "\n"), strings.Join(r.Notes, "\n"))
	}
}

// What a check says of keys that hold the tenant, of keys that are deferrable, and of what nobody may use.
func TestNotesOfWriting(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TABLE customers (tenant text NOT NULL, id int, name text, PRIMARY KEY (tenant, id));
		CREATE INDEX ON customers (tenant);
		CREATE TABLE orders (tenant text NOT NULL, id int, customer_id int, code int, PRIMARY KEY (tenant, id),
			FOREIGN KEY (tenant, customer_id) REFERENCES customers DEFERRABLE INITIALLY DEFERRED, UNIQUE (tenant, code) DEFERRABLE)`)
	const datasets = `{
  orders: {tenant: tenant, key: id, writable: true},
  customers: {tenant: tenant, key: id, writable: true, relations: {orders: {to: orders, many: true, on: {id: customer_id}, on_delete: cascade}}}}
`
	const roles = "roles: {clerk: {datasets: {orders: {insert: {}, update: {}}, customers: {insert: {}, delete: {}}}}}"
	said := func(r *inspect.Report) string {
		t.Helper()
		if len(r.Problems) > 0 {
			t.Fatalf("the problems are\n%s", strings.Join(r.Problems, "\n"))
		}
		return strings.Join(slices.DeleteFunc(r.Notes, func(note string) bool { return strings.Contains(note, "CREATE INDEX") }), "\n")
	}
	want := []string{
		"datasets.orders: the key code is deferrable, and is checked after each statement all the same",
		"datasets.orders: the foreign key to customers is deferrable, and is checked after each statement all the same",
	}
	without := said(checkShop(t, db, datasets))
	with := said(checkShop(t, db, datasets+roles))
	for _, line := range want {
		if !strings.Contains(without, line) || !strings.Contains(with, line) {
			t.Errorf("%q is not said:\n%s\n%s", line, without, with)
		}
	}
	if strings.Count(without, "\n") != 1 {
		t.Errorf("without roles the notes are\n%s", without)
	}
	for _, line := range []string{
		"roles: what `writable` says of these no role grants, so nobody does it: delete of orders; update of customers",
		"datasets.customers.relations.orders.on_delete: cascade, and no role that deletes customers may delete orders",
	} {
		if !strings.Contains(with, line) {
			t.Errorf("%q is not said:\n%s", line, with)
		}
	}
	if strings.Count(with, "\n") != 3 {
		t.Errorf("with roles the notes are\n%s", with)
	}
}

// An account that reads needs no right to write where another one has it.
func TestReaderThatCouldWrite(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TABLE orders (tenant text NOT NULL, id int NOT NULL, PRIMARY KEY (tenant, id))`)
	const datasets = "{orders: {tenant: tenant, writable: true}}"
	noted := func(shop string) bool {
		t.Helper()
		r := checkShopAs(t, db, shop, datasets)
		return slices.ContainsFunc(r.Notes, func(note string) bool { return strings.Contains(note, "could write to it as well") })
	}
	if noted(writableShop) {
		t.Error("without a writer the one account has to write")
	}
	if !noted(strings.Replace(writableShop, "{env: PASSWORD}", "{env: PASSWORD}, writer: {user: scribe}", 1)) {
		t.Error("it is not said that the reader could write")
	}
}

// Of a template's databases nobody knows what they hold, which is not said as if they lacked something.
func TestKeysOfTemplates(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, "CREATE TABLE items (tenant text NOT NULL, id int, name text, PRIMARY KEY (tenant, id), UNIQUE (tenant, name))")
	shop := strings.Replace(writableShop, "strategies: {all: {kind: shared, source: shop}}",
		"  silo: {kind: duckdb, path: \"{tenant}.duckdb\", template: true}\nstrategies: {all: {kind: shared, source: shop}, own: {kind: database, source: silo}}\ndefault_strategy: all", 1)
	const items = "{items: {tenant: tenant, key: id, writable: true, %scolumns: {tenant: String!, id: Int!, name: String}}}"
	notes := func(keys string) string {
		r := checkShopAs(t, db, shop, fmt.Sprintf(items, keys))
		if len(r.Problems) > 0 {
			t.Errorf("the problems are\n%s", strings.Join(r.Problems, "\n"))
		}
		return strings.Join(r.Notes, "\n")
	}
	if got := notes(""); !strings.Contains(got, "nobody writes onConflict: {key: name} of items: silo is a template whose databases are not looked into") || strings.Contains(got, "has no such key") {
		t.Errorf("the notes are\n%s", got)
	}
	if got := notes("keys: [[tenant, name]], "); strings.Contains(got, "onConflict") {
		t.Errorf("with the key declared the notes are\n%s", got)
	}
}

// Columns that look like references and are held by nothing are told with what holds them, and triggers that may reach
// other tables: a tenant's row would lead to another's by them.
func TestReferencesThatNothingHolds(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
		CREATE TABLE coupons (tenant text NOT NULL, id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text);
		CREATE TABLE customers (tenant text NOT NULL, id uuid PRIMARY KEY DEFAULT gen_random_uuid(), slug text, key text, receipts int NOT NULL DEFAULT 0, UNIQUE (tenant, key));
		CREATE TABLE payments (tenant text NOT NULL, id uuid PRIMARY KEY DEFAULT gen_random_uuid(), external_id text, status_id text,
			payable_type text, payable_id uuid, coupon_id uuid, "customerId" uuid, coupon_ids uuid[], held_id uuid REFERENCES coupons, "rejectedBy" uuid, previous_payment_id uuid, code text, grouped_by jsonb, key_id uuid, customer_key text, duplicate_of uuid, coupon text, reviewers uuid[]);
		CREATE TABLE keys (tenant text NOT NULL, id uuid PRIMARY KEY);
		CREATE VIEW all_statuses AS SELECT 1 AS number;
		CREATE TABLE receipts (tenant text NOT NULL, id uuid PRIMARY KEY DEFAULT gen_random_uuid(), payment_id uuid NOT NULL REFERENCES payments, number text NOT NULL, changed timestamptz);
		CREATE TABLE tiny (tenant text NOT NULL, id int PRIMARY KEY, request_id uuid);
		CREATE FUNCTION number_receipt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			UPDATE customers SET receipts = receipts + 1 WHERE id = (SELECT "customerId" FROM payments WHERE id = NEW.payment_id) RETURNING slug || receipts INTO NEW.number; RETURN NEW; END $$;
		CREATE FUNCTION count_coupons() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE coupons SET name = 'x' WHERE name = 'orders'; RETURN NULL; END $$;
		CREATE TRIGGER count_coupons AFTER INSERT ON coupons FOR EACH ROW EXECUTE FUNCTION count_coupons();
		CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'INSERT' THEN NEW.changed := now(); END IF; RETURN NEW; END $$;
		CREATE TRIGGER number_receipt BEFORE INSERT ON receipts FOR EACH ROW EXECUTE FUNCTION number_receipt();
		CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON receipts FOR EACH ROW EXECUTE FUNCTION touch();`)
	const shop = `{
  coupons: {tenant: tenant, key: id, writable: true, global_keys: true}, customers: {tenant: tenant, key: id, writable: true, global_keys: true},
  payments: {tenant: tenant, key: id, writable: %s, global_keys: true%s}, receipts: {tenant: tenant, key: id, writable: true, global_keys: true},
  tiny: {tenant: tenant, key: id, writable: true, global_keys: true}, keys: {tenant: tenant, key: id}}
`
	told := func(writable, more, roles string) string {
		t.Helper()
		r := checkShop(t, db, fmt.Sprintf(shop, writable, more)+roles)
		if len(r.Problems) > 0 {
			t.Fatal(r.Problems)
		}
		return strings.Join(slices.DeleteFunc(r.Notes, func(note string) bool { return !strings.Contains(note, "look") && !strings.Contains(note, "triggers") }), "\n")
	}
	const (
		payments = `datasets.payments: payable_id, coupon_id, customerId, coupon_ids, rejectedBy, previous_payment_id, key_id, customer_key, duplicate_of, reviewers look like references and are held by no foreign key and no relation: ids of other tenants' rows are taken`
		help     = "`relations: {coupon_row: {to: coupons, on: {coupon_id: id}}, customer: {to: customers, on: {customerId: id}}, previous_payment: {to: payments, on: {previous_payment_id: id}}, key_row: {to: keys, on: {key_id: id}}, customer_key_row: {to: customers, on: {customer_key: key_}}, duplicate_of_row: {to: payments, on: {duplicate_of: id}}}` would hold them (another's is NOT_FOUND); " +
			"no relation to what is served holds payable_id (by payable_type it leads to several tables), coupon_ids, rejectedBy, reviewers: where that matters leave them out of"
		receipts = "datasets.receipts: of its triggers number_receipt may read or change other rows"
		coupons  = "datasets.coupons: of its triggers count_coupons may read or change other rows, of this table as well, and nobody judges whose: they are safe only where all that they read and change, in whichever table, is confined to the tenant"
		tiny     = "datasets.tiny: request_id looks like a reference and is held by"
	)
	got := told("true", "", "")
	for _, want := range []string{payments, help, receipts, coupons, tiny} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said:\n%s", want, got)
		}
	}
	if strings.Count(got, "\n") != 3 {
		t.Errorf("more is said than of four datasets:\n%s", got)
	}
	_, relations, _ := strings.Cut(got, "`relations: ")
	relations, _, _ = strings.Cut(relations, "`")
	held := told("true", ", relations: "+relations, "")
	if !strings.Contains(held, "datasets.payments: payable_id, coupon_ids, rejectedBy, reviewers look like references") || strings.Contains(held, "would hold") {
		t.Errorf("with the relations that were named:\n%s", held)
	}
	if got := told("[delete]", "", ""); strings.Contains(got, "datasets.payments") {
		t.Errorf("where nobody gives a value:\n%s", got)
	}
	clerk := told("true", "", "roles: {clerk: {datasets: {coupons: {}, customers: {}, receipts: {}, tiny: {}, keys: {}, payments: {insert: {columns: [code, coupon_id]}, update: {columns: [code]}}}}}")
	if !strings.Contains(clerk, "datasets.payments: coupon_id looks like a reference and is held by") {
		t.Errorf("where roles give some columns:\n%s", clerk)
	}
}

// What a database does to rows that refer to one that is gone stands in the way of deleting, and not where rows are only stamped.
func TestStampedRowsLeaveOthersAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
		CREATE TABLE taxes (tenant text NOT NULL, id int PRIMARY KEY, deleted_at timestamptz);
		CREATE TABLE fees (tenant text NOT NULL, id int PRIMARY KEY, tax_id int REFERENCES taxes ON DELETE SET NULL);
		CREATE TABLE notes (id int PRIMARY KEY, tax_id int REFERENCES taxes ON DELETE CASCADE);`)
	const datasets = "{taxes: {tenant: tenant, key: id, writable: true, global_keys: true%s}, fees: {tenant: tenant, key: id}}"
	r := checkShop(t, db, fmt.Sprintf(datasets, ", deleted: {at: deleted_at}"))
	if len(r.Problems) > 0 || !r.Catalog.Dataset("taxes").Writes.Delete {
		t.Errorf("rows that are stamped: %q", r.Problems)
	}
	if r = checkShop(t, db, fmt.Sprintf(datasets, "")); len(r.Problems) != 2 {
		t.Errorf("rows that are deleted: %q", r.Problems)
	}
}

// A column that a trigger fills in is demanded of whoever inserts until the file lets a row leave it out, which is told.
func TestColumnsThatTriggersFillIn(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
		CREATE TABLE receipts (tenant text NOT NULL, id int, "Number" text NOT NULL, amount int NOT NULL, PRIMARY KEY (tenant, id));
		CREATE FUNCTION number() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW."Number" := 'R-' || NEW.id; RETURN NEW; END $$;
		CREATE TRIGGER number BEFORE INSERT ON receipts FOR EACH ROW EXECUTE FUNCTION number();`)
	told := func(columns, roles string) string {
		t.Helper()
		r := checkShop(t, db, "{receipts: {tenant: tenant, key: id, writable: true, columns: {tenant: {}, id: {}, "+columns+", amount: {}}}}"+roles)
		if len(r.Problems) > 0 {
			t.Fatal(r.Problems)
		}
		return strings.Join(slices.DeleteFunc(r.Notes, func(note string) bool { return !strings.Contains(note, "BEFORE INSERT") }), "\n")
	}
	const want = "datasets.receipts: whoever inserts has to give Number, which a BEFORE INSERT trigger of public.receipts names and may fill in: `Number: String` under `columns`"
	if got := told("Number: String!", ""); !strings.HasPrefix(got, want) || strings.Contains(got, "amount") {
		t.Errorf("it is told\n%s", got)
	}
	if got := told("Number: String", ""); got != "" {
		t.Errorf("where a row may leave it out it is told\n%s", got)
	}
	if got := told("Number: String!", "\nroles: {clerk: {datasets: {receipts: {insert: {presets: {Number: x}}}}}}"); got != "" {
		t.Errorf("where all have it preset it is told\n%s", got)
	}
}
