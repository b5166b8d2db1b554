package pgcatalog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/catalog"
)

// writesOf is what tables are to whoever writes, without all that reading needs.
func writesOf(tables []catalog.Table) map[string]catalog.Table {
	out := make(map[string]catalog.Table)
	for _, t := range tables {
		kept := catalog.Table{Kind: t.Kind, Rules: t.Rules, Triggers: t.Triggers, Fills: t.Fills, Colliding: t.Colliding, Referrers: t.Referrers}
		for _, c := range t.Columns {
			if c.Default != catalog.NoDefault || c.Made != catalog.NotMade {
				kept.Columns = append(kept.Columns, catalog.TableColumn{Name: c.Name, Default: c.Default, Made: c.Made})
			}
		}
		out[t.Name] = kept
	}
	return out
}

// TestIntrospectWrites: all by which rows collide, of partitions and of children too.
func TestIntrospectWrites(t *testing.T) {
	t.Parallel()
	source := open(t, specOf(database(t, `
		CREATE EXTENSION btree_gist;
		CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
		CREATE TABLE bookings (tenant text, id int, room int, during int4range, code text, note text COLLATE blind,
			CONSTRAINT bookings_pkey PRIMARY KEY (tenant, id) INCLUDE (room),
			CONSTRAINT code_key UNIQUE (code) DEFERRABLE,
			CONSTRAINT no_overlap EXCLUDE USING gist (tenant WITH =, room WITH =, during WITH &&),
			CONSTRAINT not_others EXCLUDE USING gist (tenant WITH <>, room WITH =));
		CREATE UNIQUE INDEX some_rows ON bookings (tenant, code) WHERE room > 1;
		CREATE UNIQUE INDEX lowered ON bookings (tenant, lower(code));
		CREATE UNIQUE INDEX by_note ON bookings (tenant, note);
		CREATE INDEX only_order ON bookings (room);

		CREATE TABLE parts (tenant text, id int, day date, PRIMARY KEY (tenant, id)) PARTITION BY LIST (tenant);
		CREATE TABLE part_a PARTITION OF parts FOR VALUES IN ('a');
		CREATE UNIQUE INDEX of_the_part ON part_a (day);
		CREATE TABLE inherited (extra int) INHERITS (bookings);
		CREATE UNIQUE INDEX of_the_child ON inherited (extra);
	`)))
	key := func(name string, columns ...string) catalog.CollidingBy {
		return catalog.CollidingBy{Name: name, Columns: columns}
	}
	with := func(by catalog.CollidingBy, set func(*catalog.CollidingBy)) catalog.CollidingBy {
		set(&by)
		return by
	}
	constraint := func(by *catalog.CollidingBy) { by.Constraint = true }
	expected := map[string][]catalog.CollidingBy{
		"bookings": {
			with(key("bookings_pkey", "tenant", "id"), constraint),
			with(key("by_note", "tenant"), func(by *catalog.CollidingBy) { by.Expression = true }),
			with(key("code_key", "code"), func(by *catalog.CollidingBy) { by.Constraint, by.Deferrable = true, true }),
			with(key("lowered", "tenant"), func(by *catalog.CollidingBy) { by.Expression = true }),
			with(key("no_overlap", "tenant", "room"), func(by *catalog.CollidingBy) { by.Constraint, by.Exclusion, by.Expression = true, true, true }),
			with(key("not_others", "room"), func(by *catalog.CollidingBy) { by.Constraint, by.Exclusion, by.Expression = true, true, true }),
			with(key("some_rows", "tenant", "code"), func(by *catalog.CollidingBy) { by.Partial = true }),
			key("of_the_child", "extra"),
		},
		"inherited": {key("of_the_child", "extra")},
		"parts":     {with(key("parts_pkey", "tenant", "id"), constraint), key("of_the_part", "day")},
	}
	got := make(map[string][]catalog.CollidingBy)
	for name, table := range writesOf(introspect(t, source, "public")) {
		got[name] = table.Colliding
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestIntrospectReferrers: a foreign key onto a table is found from wherever it comes,
// also from where the account may not look.
func TestIntrospectReferrers(t *testing.T) {
	t.Parallel()
	db := database(t, `
		CREATE SCHEMA hidden;
		CREATE TABLE orders (tenant text, id int PRIMARY KEY, parent int REFERENCES orders ON DELETE CASCADE, UNIQUE (tenant, id));
		CREATE TABLE hidden.lines (tenant text, order_id int, FOREIGN KEY (tenant, order_id) REFERENCES orders (tenant, id)
			ON DELETE SET NULL (order_id) ON UPDATE CASCADE DEFERRABLE);
		CREATE TABLE hidden.days (day date, order_id int REFERENCES orders ON DELETE SET DEFAULT) PARTITION BY RANGE (day);
		CREATE TABLE hidden.day_1 PARTITION OF hidden.days DEFAULT;
		CREATE TABLE notes (order_id int REFERENCES orders ON DELETE RESTRICT);`)
	spec := specOf(db.Role(t, "GRANT USAGE ON SCHEMA public TO $role; GRANT SELECT ON orders TO $role"))
	tables := introspect(t, open(t, spec), "public")
	if len(tables) != 1 {
		t.Fatalf("the account is shown %d tables", len(tables))
	}
	expected := []catalog.Referrer{
		{Schema: "hidden", Table: "days", Columns: []string{"order_id"}, RefColumns: []string{"id"}, OnDelete: catalog.SetsDefault},
		{
			Schema: "hidden", Table: "lines", Columns: []string{"tenant", "order_id"}, RefColumns: []string{"tenant", "id"},
			OnDelete: catalog.SetsNull, OnUpdate: catalog.CascadeTo, Sets: []string{"order_id"}, Deferrable: true,
		},
		{Schema: "public", Table: "notes", Columns: []string{"order_id"}, RefColumns: []string{"id"}},
		{Schema: "public", Table: "orders", Columns: []string{"parent"}, RefColumns: []string{"id"}, OnDelete: catalog.CascadeTo},
	}
	if diff := cmp.Diff(expected, tables[0].Referrers); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	own := tables[0].ForeignKeys
	if len(own) != 1 || own[0].OnDelete != catalog.CascadeTo || !own[0].Cascade || own[0].Deferrable {
		t.Errorf("its own keys: %+v", own)
	}
}

// TestIntrospectKinds: what a table does of itself with what is written to it, and
// what it fills in.
func TestIntrospectKinds(t *testing.T) {
	t.Parallel()
	source := open(t, specOf(database(t, `
		CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
		CREATE SEQUENCE numbers;
		CREATE DOMAIN kind AS text DEFAULT 'new';
		CREATE TABLE plain (
			a int GENERATED ALWAYS AS IDENTITY, b int GENERATED BY DEFAULT AS IDENTITY, c serial, d int GENERATED ALWAYS AS (1 + 1) STORED,
			e uuid DEFAULT gen_random_uuid(), f text DEFAULT 'INV-' || nextval('numbers'), g int DEFAULT nextval('numbers') % 10, h text DEFAULT 'x',
			i uuid DEFAULT '00000000-0000-0000-0000-000000000001'::uuid, j kind, k int DEFAULT NULL, l int, m text DEFAULT gen_random_uuid()::text);
		CREATE TABLE ruled (a int);
		CREATE RULE r AS ON INSERT TO ruled DO INSTEAD NOTHING;
		CREATE TABLE watched (a int PRIMARY KEY, b int REFERENCES watched);
		CREATE TRIGGER t AFTER UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION nothing();
		CREATE TABLE kept (a int PRIMARY KEY, b int REFERENCES kept);
		CREATE TRIGGER t BEFORE TRUNCATE ON kept EXECUTE FUNCTION nothing();
		CREATE TABLE off (a int);
		CREATE TRIGGER t BEFORE INSERT ON off FOR EACH ROW EXECUTE FUNCTION nothing();
		ALTER TABLE off DISABLE TRIGGER t;
		CREATE TABLE parts (a int) PARTITION BY LIST (a);
		CREATE TABLE part PARTITION OF parts DEFAULT;
		CREATE TRIGGER t BEFORE INSERT ON part FOR EACH ROW EXECUTE FUNCTION nothing();
		CREATE VIEW seen AS SELECT a FROM plain;
		CREATE MATERIALIZED VIEW made AS SELECT 1 AS a;
		CREATE FOREIGN DATA WRAPPER nowhere;
		CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
		CREATE FOREIGN TABLE away (a int) SERVER far;
	`)))
	got := writesOf(introspect(t, source, "public"))
	for name, table := range got {
		table.Colliding, table.Referrers = nil, nil
		got[name] = table
	}
	column := func(name string, kind catalog.DefaultKind, made catalog.Made) catalog.TableColumn {
		return catalog.TableColumn{Name: name, Default: kind, Made: made}
	}
	expected := map[string]catalog.Table{
		"plain": {Columns: []catalog.TableColumn{
			column("a", catalog.AlwaysOwn, catalog.Counted), column("b", catalog.ByDefault, catalog.Counted), column("c", catalog.ByDefault, catalog.Counted),
			column("d", catalog.Computed, catalog.NotMade), column("e", catalog.ByDefault, catalog.Random), column("f", catalog.ByDefault, catalog.Counted),
			column("g", catalog.ByDefault, catalog.NotMade), column("h", catalog.ByDefault, catalog.NotMade), column("i", catalog.ByDefault, catalog.NotMade),
			column("j", catalog.ByDefault, catalog.NotMade), column("m", catalog.ByDefault, catalog.Random),
		}},
		"ruled": {Rules: true}, "watched": {Triggers: true}, "kept": {}, "off": {}, "parts": {Triggers: true, Fills: true},
		"seen": {Kind: catalog.AView}, "made": {Kind: catalog.Materialized}, "away": {Kind: catalog.ForeignTable},
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestKeysAreNoDataset: the table with the keys of mutations, and what they were answered, is
// not there for whoever makes datasets; other tables of its schema are.
func TestKeysAreNoDataset(t *testing.T) {
	t.Parallel()
	source := open(t, specOf(database(t, `
		CREATE SCHEMA usher;
		CREATE TABLE usher.idempotency (tenant text, subject text, key text, PRIMARY KEY (tenant, subject, key));
		CREATE TABLE usher.orders (id int PRIMARY KEY);
		CREATE TABLE public.idempotency (id int PRIMARY KEY);
	`)))
	tables, err := source.Introspect(t.Context(), "usher", "public")
	if err != nil || len(tables) != 2 || tables[0].Schema != "public" || tables[1].Name != "orders" {
		t.Errorf("%+v, %v", tables, err)
	}
}
