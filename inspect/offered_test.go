package inspect_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"usher/config"
	"usher/inspect"
	"usher/pgtest"
	"usher/test/program"
)

const unofferedTables = `
	CREATE TABLE keyless (tenant text NOT NULL, code text NOT NULL, n int NOT NULL, note text, hidden text NOT NULL DEFAULT '', UNIQUE (tenant, code), UNIQUE (tenant, code, n), UNIQUE (tenant, note), UNIQUE (tenant, hidden));
	CREATE TABLE bare (tenant text NOT NULL, note text);
	CREATE TABLE withheld (tenant text NOT NULL, id int NOT NULL, note text, hashed text NOT NULL, salt text NOT NULL, kind text NOT NULL DEFAULT 'x', PRIMARY KEY (tenant, id));
	CREATE TABLE whole (tenant text NOT NULL, id int NOT NULL, note text, PRIMARY KEY (tenant, id));
	CREATE TABLE contents (id int PRIMARY KEY, note text);
	CREATE TABLE envelopes (tenant text NOT NULL, id int NOT NULL, content_id int UNIQUE REFERENCES contents (id), PRIMARY KEY (tenant, id));
	CREATE INDEX of_keyless ON keyless (tenant); CREATE INDEX of_bare ON bare (tenant);`

const unoffered = `
  keyless: {tenant: tenant, writable: true, columns: {tenant: String!, code: String!, n: Int!, note: String}}
  bare: {tenant: tenant, writable: [insert]}
  withheld: {tenant: tenant, key: id, writable: true, columns: {tenant: String!, id: Int!, note: String}}
  whole: {tenant: tenant, key: id, writable: true}
  envelopes: {tenant: tenant, key: id}
  contents: {tenant: {through: envelope}, key: id, writable: [insert], global_keys: true, relations: {envelope: {to: envelopes, on: {id: content_id}}}}
`

// notesOf is what a check notes of databases with the same tables, without what it says of indexes and of views' keys.
func notesOf(t *testing.T, r *inspect.Report) string {
	t.Helper()
	if len(r.Problems) > 0 {
		t.Fatalf("the problems are\n%s", strings.Join(r.Problems, "\n"))
	}
	return strings.Join(slices.DeleteFunc(r.Notes, func(note string) bool {
		return strings.Contains(note, "CREATE INDEX") || strings.Contains(note, "so it is believed")
	}), "\n")
}

// What the file says of writing and no table lets anybody do is noted: rows without a key, and rows with a column that
// nobody gives a value.
func TestWritingThatIsNotOffered(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, unofferedTables)
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), unofferedTables)
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	inFile := func(datasets string) *inspect.Report {
		from, to := strings.Index(writableShop, "  shop: {"), strings.Index(writableShop, "strategies:")
		text := fmt.Sprintf(writableShop[:from]+"  shop: {kind: duckdb, path: shop.duckdb}\n"+writableShop[to:], datasets)
		cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := inspect.Check(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for engine, notes := range map[string]string{"postgres": notesOf(t, checkShop(t, db, unoffered)), "duckdb": notesOf(t, inFile(unoffered))} {
		for _, want := range []string{
			"datasets.keyless.writable: keyless has no key, so no mutation of it is offered: what was written is found again by the key, and what is changed is named by it; say `key: code` or `key: [code, n]`, which a UNIQUE constraint keeps",
			"datasets.bare.writable: bare has no key, so no mutation of it is offered: what was written is found again by the key, and what is changed is named by it; no UNIQUE constraint of NOT NULL columns",
			"datasets.withheld.writable: insert of withheld cannot succeed in shop: of ", "withheld hashed, salt are NOT NULL, without a default and not among the dataset's columns",
			"datasets.contents.writable: insert of contents cannot succeed in shop: the row of envelopes by which one is a tenant's has to be there before, and its foreign key to ", "contents lets it be there only afterwards; give ",
		} {
			if !strings.Contains(notes, want) {
				t.Errorf("%s: %q is not said:\n%s", engine, want, notes)
			}
		}
		if strings.Count(notes, "\n") != 3 {
			t.Errorf("%s: the notes are\n%s", engine, notes)
		}
	}
	mended := strings.Replace(unoffered, "keyless: {", "keyless: {key: code, ", 1)
	for engine, notes := range map[string]string{"postgres": notesOf(t, checkShop(t, db, mended)), "duckdb": notesOf(t, inFile(mended))} {
		if strings.Contains(notes, "keyless") {
			t.Errorf("%s: with its key: %s", engine, notes)
		}
	}
	// Nothing is granted for what nobody does.
	db.Exec(t, "DROP TABLE bare, keyless, whole, envelopes, contents; CREATE FUNCTION fills() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.hashed := 1; NEW.salt := 2; RETURN NEW; END'; CREATE TRIGGER t BEFORE INSERT ON withheld FOR EACH ROW EXECUTE FUNCTION fills()")
	if notes := notesOf(t, checkShop(t, db, "\n"+strings.Split(unoffered, "\n")[3]+"\n")); strings.Contains(notes, "cannot succeed") {
		t.Errorf("a trigger may fill it in: %s", notes)
	}
}

// People may be of several tenants: what leads to them is preset, or leads to what says in which tenants they are.
func TestAdviceOnPeopleOfSeveralTenants(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
		CREATE TABLE people (id text PRIMARY KEY, name text);
		CREATE TABLE rooms (id int PRIMARY KEY, org text NOT NULL);
		CREATE TABLE members (org text NOT NULL, person text NOT NULL REFERENCES people, PRIMARY KEY (org, person));
		CREATE TABLE tickets (org text NOT NULL, id int NOT NULL, owner_id text NOT NULL REFERENCES people, helper_id text REFERENCES people, room_id int REFERENCES rooms, title text, PRIMARY KEY (org, id));
		CREATE TABLE notes (room_id int NOT NULL REFERENCES rooms, n int NOT NULL, by text REFERENCES people, PRIMARY KEY (room_id, n)); CREATE INDEX ON rooms (org);
		CREATE VIEW known AS SELECT m.org, p.id, p.name FROM members m JOIN people p ON p.id = m.person;
		CREATE ROLE `+db.Name+`_w LOGIN PASSWORD 'x'; GRANT SELECT, INSERT, UPDATE, DELETE ON tickets, members TO `+db.Name+`_w; GRANT SELECT ON known TO `+db.Name+`_w;
		REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO `+db.Name+`_w`)
	const datasets = `
  tickets: {tenant: org, key: id, writable: [insert, update], relations: {owner: {to: known, on: {owner_id: id}}}}
  known: {tenant: org, key: id, columns: {org: String, id: String!, name: String}}
`
	const others = `
  members: {tenant: org, key: person, writable: true}
  notes: {tenant: {through: room}, writable: true, key: [room_id, n], relations: {room: {to: rooms, on: {room_id: id}}}}
  rooms: {tenant: org}
`
	const roles = "roles: {clerk: {datasets: {known: {}, tickets: {insert: {presets: {owner_id: $subject}}, update: {}}}}%s}\n"
	const (
		helper = "datasets.tickets: (helper_id) refers to public.people, and no dataset says whose rows those are, so nobody gives it a value: where its rows are of several tenants, let roles preset it, as with $subject, or let the foreign key pair the tenants by leading to (org, person) of public.members, as docs/writes.md says"
		owner  = "datasets.tickets: (owner_id) refers to public.people, and no dataset says whose rows those are, so nobody gives it a value, and "
		room   = "datasets.tickets: (room_id) refers to public.rooms, and no dataset says whose rows those are, so nobody gives it a value: serve that table as a dataset, or let the foreign key pair the tenants"
	)
	for _, c := range []struct {
		roles string
		want  []string
	}{
		{"", []string{helper, owner + "no insert is offered but by a role that presets it: where its rows", room}},
		{fmt.Sprintf(roles, ""), []string{helper, room}},
		{"roles: {reader: {datasets: {tickets: {}, known: {}}}}\n", []string{"roles: what `writable` says of these no role grants, so nobody does it: insert, update of tickets"}},
		{fmt.Sprintf(roles, ", other: {datasets: {tickets: {insert: {}}}}"), []string{helper, owner + "an insert is offered by the roles that preset it only: clerk: where its rows", room}},
	} {
		notes := notesOf(t, checkShop(t, db, datasets+c.roles))
		for _, want := range c.want {
			if !strings.Contains(notes, want) {
				t.Errorf("%s: %q is not said:\n%s", c.roles, want, notes)
			}
		}
		if strings.Count(notes, "\n") != len(c.want)-1 {
			t.Errorf("%s: the notes are\n%s", c.roles, notes)
		}
	}
	// What says who is in which tenant leads to people without that, and so does what has no tenant column to pair.
	notes := notesOf(t, checkShop(t, db, others))
	const preset = "refers to public.people, and no dataset says whose rows those are, so nobody gives it a value%s: where its rows are of several tenants, let roles preset it, as with $subject, as docs/writes.md says"
	for _, want := range []string{"datasets.members: (person) " + fmt.Sprintf(preset, ", and no insert is offered but by a role that presets it"), "datasets.notes: (by) " + fmt.Sprintf(preset, "")} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is not said:\n%s", want, notes)
		}
	}
	// What nobody is led to by what is written is not locked.
	shop := strings.Replace(writableShop, "user: %q", "user: %q, writer: {user: "+db.Name+"_w, password: {env: PASSWORD}}", 1)
	db.Exec(t, "ALTER ROLE "+db.Name+"_w PASSWORD '"+db.Password+"'")
	locks := func(text string) bool {
		return strings.Contains(strings.Join(checkShopAs(t, db, shop, text).Problems, "\n"), "lacks UPDATE on public.known, to lock what a row leads to")
	}
	if locks(datasets) {
		t.Error("a view is to be locked by what nobody writes")
	}
	if !locks(datasets + fmt.Sprintf(roles, "")) {
		t.Error("what a preset leads to is locked, and nobody says so")
	}
}

// An index on an expression is named, and a column that leads to others gets no values of its own.
func TestAdviceOnKeys(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
		CREATE TABLE named (name text NOT NULL, tenant text NOT NULL); CREATE UNIQUE INDEX by_name ON named (lower(name));
		CREATE TABLE jobs (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, tenant text NOT NULL);
		CREATE TABLE builds (tenant text NOT NULL, id int NOT NULL, job_id uuid UNIQUE REFERENCES jobs, run_id uuid UNIQUE, own_id uuid UNIQUE, PRIMARY KEY (tenant, id));`)
	all := strings.Join(checkShop(t, db, `
  named: {tenant: tenant, key: name, writable: true}
  jobs: {tenant: tenant}
  builds: {tenant: tenant, key: id, writable: true, relations: {run: {to: jobs, on: {run_id: id}}}}
`).Problems, "\n")
	for _, want := range []string{"the unique index by_name holds no tenant", "the unique index builds_job_id_key holds no tenant", "ALTER COLUMN own_id SET DEFAULT gen_random_uuid()"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not said:\n%s", want, all)
		}
	}
	for _, not := range []string{"primary key ()", "COLUMN job_id SET DEFAULT", "COLUMN run_id SET DEFAULT"} {
		if strings.Contains(all, not) {
			t.Errorf("%q is said:\n%s", not, all)
		}
	}
}
