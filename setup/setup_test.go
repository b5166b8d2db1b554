package setup_test

import (
	"bytes"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	_ "github.com/duckdb/duckdb-go/v2" // makes the tables of the cases

	"usher/catalog"
	"usher/config"
	"usher/datasource"
	"usher/principal"
	"usher/setup"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestPropose runs testdata/*.txtar: tables.sql, tenant (the column, if it is
// named) and keys (of tenants, a line each) make usher.yml, or the error. What
// is written must mean what was proposed.
func TestPropose(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := make(map[string]string)
			for _, f := range archive.Files {
				parts[f.Name] = string(f.Data)
			}
			got := txtar.File{Name: "usher.yml"}
			draft, err := setup.Propose(source(t, parts["tables.sql"]), setup.Options{Tenant: strings.TrimSpace(parts["tenant"]), Naming: strings.TrimSpace(parts["naming"])})
			if err != nil {
				got = txtar.File{Name: "error", Data: []byte(err.Error() + "\n")}
			} else {
				draft.Register(strings.Split(strings.TrimSuffix(parts["keys"], "\n"), "\n"), "")
				got.Data = datasets(written(t, draft))
			}
			if *update {
				archive.Files = append(without(archive.Files, "usher.yml", "error"), got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(parts[got.Name], string(got.Data)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", got.Name, diff)
			}
		})
	}
}

func without(files []txtar.File, names ...string) []txtar.File {
	var out []txtar.File
	for _, f := range files {
		if f.Name != names[0] && f.Name != names[1] {
			out = append(out, f)
		}
	}
	return out
}

// datasets is the part of a configuration that differs from case to case.
func datasets(text []byte) []byte {
	_, tenants, found := bytes.Cut(text, []byte("\ntenants:"))
	if found {
		tenants, _, _ = bytes.Cut(tenants, []byte("\n\n"))
		tenants = append([]byte("tenants:"), append(bytes.Clone(tenants), "\n\n"...)...)
	}
	_, rest, _ := bytes.Cut(text, []byte("\ndatasets:\n"))
	return bytes.TrimSuffix(append(tenants, "datasets:\n"+string(rest)...), []byte("\n"))
}

func source(t *testing.T, statements string) setup.Source {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shop.duckdb")
	db, err := sql.Open("duckdb", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	found, err := datasource.Introspect(t.Context(), &catalog.Source{Kind: catalog.DuckDB, DuckDB: catalog.DuckDBSpec{Path: file}})
	if err != nil {
		t.Fatal(err)
	}
	return setup.Source{
		Name: "main", Spec: catalog.SourceSpec{Kind: "duckdb", Path: catalog.Path(file)}, Tables: found,
		Lines: []string{"kind: duckdb", "path: " + setup.Scalar(file)},
	}
}

// written is the configuration, once it has been read back and found to make
// what the draft has: the same datasets, of the same types, related alike.
func written(t *testing.T, draft *setup.Draft) []byte {
	t.Helper()
	text, err := draft.YAML(setup.Issuer{Issuer: "tests", Audience: "usher", SecretFile: os.DevNull, Example: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	// The secret of the case is in the environment, and of no interest here.
	readable := bytes.Replace(text, []byte("{file: "+os.DevNull+"}"), []byte("{env: SECRET}"), 1)
	if bytes.Contains(readable, []byte("writable")) {
		t.Error("something is proposed to be writable")
	}
	cfg, err := config.Parse("usher.yml", readable, func(string) (string, bool) { return strings.Repeat("s", 32), true })
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	spec := cfg.Spec.Sources["main"]
	found, err := datasource.Introspect(t.Context(), &catalog.Source{Kind: catalog.DuckDB, DuckDB: catalog.DuckDBSpec{Path: string(spec.Path)}})
	if err != nil {
		t.Fatal(err)
	}
	again, problems := catalog.Compile(cfg.Spec, catalog.Introspected{"main": found})
	if err := cfg.Locate(problems); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(outline(draft.Catalog), outline(again)); diff != "" {
		t.Errorf("what is written is not what was proposed: -proposed +written\n%s", diff)
	}
	return text
}

var withheld = regexp.MustCompile(`password|^person_email$|^(token_hash|iban|(old|new)_values|extra_headers|token|key_|device_code)$|^object`)

// outline says what there is without the names of relations, which are chosen
// when they are written, and without columns that are withheld.
func outline(cat *catalog.Catalog) []string {
	var out []string
	for _, d := range cat.Datasets {
		tenant := "common"
		if d.Tenant != nil {
			tenant = d.Tenant.Name
		}
		out = append(out, fmt.Sprintf("%s %s of %s", d.Name, d.Type, tenant))
		if !slices.ContainsFunc(d.Key, func(k *catalog.Column) bool { return withheld.MatchString(k.Name) }) {
			for _, k := range d.Key {
				out = append(out, "  key "+k.Name)
			}
		}
		for _, c := range d.Columns {
			if !withheld.MatchString(c.Name) {
				out = append(out, fmt.Sprintf("  %s %s %d %d %t from %s", c.Name, c.Type.GraphQL(), c.Type.Precision, c.Type.Scale, c.Nullable, d.Bindings["main"].Columns[c.Name].Name))
			}
		}
		for _, r := range d.Relations {
			var on []string
			for _, p := range r.On {
				on = append(on, p.From.Name+"="+p.To.Name)
			}
			slices.Sort(on)
			out = append(out, fmt.Sprintf("  to %s, many %t, on %s", r.To.Name, r.Many, on))
		}
	}
	return out
}

// A table whose owner is undecided is not served, and stands there ready: with
// one of its lines it means what that line says.
func TestUndecidedIsReady(t *testing.T) {
	t.Parallel()
	src := source(t, `CREATE TABLE customers (id INTEGER PRIMARY KEY, tenant_id INTEGER);
		CREATE TABLE products (id INTEGER PRIMARY KEY, tenant_id INTEGER);
		CREATE TABLE visits (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), product_id INTEGER NOT NULL REFERENCES products (id));
		CREATE TABLE clicks (id INTEGER PRIMARY KEY, visit_id INTEGER NOT NULL REFERENCES visits (id));`)
	draft, err := setup.Propose(src, setup.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := string(written(t, draft))
	for _, through := range []string{"customer", "product"} {
		var lines []string
		for line := range strings.Lines(text) {
			bare, behind := strings.CutPrefix(line, "  # ")
			switch {
			case strings.HasPrefix(bare, "  tenant: {through: ") && !strings.Contains(bare, "through: "+through) && !strings.Contains(bare, "through: visit"):
			case behind && !strings.Contains(bare, "left out:") && (strings.HasPrefix(bare, "  ") || strings.HasSuffix(bare, ":\n")):
				lines = append(lines, "  "+bare)
			default:
				lines = append(lines, line)
			}
		}
		ready := strings.Replace(strings.Join(lines, ""), "{file: "+os.DevNull+"}", "{env: SECRET}", 1)
		cfg, err := config.Parse("usher.yml", []byte(ready), func(string) (string, bool) { return strings.Repeat("s", 32), true })
		if err != nil {
			t.Fatalf("%v\n%s", err, ready)
		}
		cat, problems := catalog.Compile(cfg.Spec, catalog.Introspected{"main": src.Tables})
		if err := cfg.Locate(problems); err != nil {
			t.Fatalf("%v\n%s", err, ready)
		}
		if got := cat.Dataset("visits").Parent.To.Name; got != through+"s" {
			t.Errorf("with the line of %s the parent is %s", through, got)
		}
		if got := cat.Dataset("clicks").Parent.To.Name; got != "visits" {
			t.Errorf("clicks belong to %s", got)
		}
	}
	if draft.Catalog.Dataset("visits") != nil || draft.Catalog.Dataset("clicks") != nil {
		t.Error("what is undecided is served")
	}
}

// What is proposed behind # by names alone means what it says, too.
func TestGuessedIsReady(t *testing.T) {
	t.Parallel()
	src := source(t, `CREATE TABLE projects (id BIGINT PRIMARY KEY, tenant_id INTEGER NOT NULL);
		CREATE TABLE merges (id BIGINT PRIMARY KEY, target_project_id BIGINT NOT NULL, title VARCHAR);
		CREATE TABLE marks (id BIGINT PRIMARY KEY, merge_id BIGINT);
		CREATE TABLE contents (id INTEGER PRIMARY KEY, data VARCHAR);
		CREATE TABLE papers (id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL, content_id INTEGER UNIQUE REFERENCES contents (id), other_id INTEGER REFERENCES contents (id));
		CREATE TABLE users (id BIGINT PRIMARY KEY, email VARCHAR, password VARCHAR);
		CREATE TABLE boards (id BIGINT PRIMARY KEY, user_id BIGINT, title VARCHAR, secret VARCHAR);
		CREATE TABLE board_stages (id BIGINT PRIMARY KEY, board_id BIGINT, title VARCHAR);`)
	draft, err := setup.Propose(src, setup.Options{Tenant: "tenant_id"})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(written(t, draft)), "{file: "+os.DevNull+"}", "{env: SECRET}", 1)
	var lines []string
	for line := range strings.Lines(text) {
		bare, behind := strings.CutPrefix(line, "  # ")
		switch {
		case strings.HasPrefix(bare, "  tenant: COLUMN "): // the users, whose rows somebody has found to be projects'
			lines = append(lines, "    tenant: {through: project}\n    relations: {project: {to: projects, on: {id: id}}}\n")
		case behind && !strings.Contains(bare, "left out:") && (strings.HasPrefix(bare, "  ") || strings.HasSuffix(bare, ":\n")):
			lines = append(lines, "  "+bare)
		default:
			lines = append(lines, line)
		}
	}
	ready := strings.Join(lines, "")
	cfg, err := config.Parse("usher.yml", []byte(ready), func(string) (string, bool) { return strings.Repeat("s", 32), true })
	if err != nil {
		t.Fatalf("%v\n%s", err, ready)
	}
	cat, problems := catalog.Compile(cfg.Spec, catalog.Introspected{"main": src.Tables})
	if err := cfg.Locate(problems); err != nil {
		t.Fatalf("%v\n%s", err, ready)
	}
	for dataset, owner := range map[string]string{"merges": "projects", "marks": "merges", "contents": "papers", "users": "projects", "boards": "users", "board_stages": "boards"} {
		if got := cat.Dataset(dataset).Parent; got == nil || got.To.Name != owner {
			t.Errorf("%s belong to %v, not to %s", dataset, got, owner)
		}
		if draft.Catalog.Dataset(dataset) != nil {
			t.Errorf("%s are served before anybody has said so", dataset)
		}
	}
	if cat.Dataset("users").Column("password") != nil || cat.Dataset("users").Column("email") != nil || cat.Dataset("boards").Column("secret") != nil {
		t.Error("what reads like a secret is served with the rest of a table that was left out")
	}
}

// What is everybody's and does not look like it is told, by whoever's hand it was written.
func TestExposed(t *testing.T) {
	t.Parallel()
	yml := `sources: {main: {kind: duckdb, path: x.duckdb}}
strategies: {shared: {kind: shared, source: main}}
datasets:
  orgs: {tenant: id, key: id, columns: {id: Int!, name: String}}
  orders: {tenant: org_id, key: id, columns: {id: Int!, org_id: Int!}}
  lines: {tenant: {through: order}, key: id, columns: {id: Int!, order_id: Int!}, relations: {order: {to: orders, on: {order_id: id}}}}
  countries: {common: true, key: code, columns: {code: String!, name: String, region_id: Int}}
  regions: {common: true, key: id, columns: {id: Int!, name: String}}
  cities: {common: true, key: id, columns: {id: Int!, order_id: Int}, relations: {region: {to: regions, on: {order_id: id}}}}
  marks: {common: true, key: id, columns: {id: Int!, target_org_id: Int, made_for: {type: Int, column: line_id}, orders: Int}}
  contents: {common: true, key: id, columns: {id: Int!}, relations: {paper: {to: papers, on: {id: content}}, papers: {to: papers, many: true, on: {id: content}}}}
  papers: {tenant: org_id, key: content, columns: {content: Int!, org_id: Int!}}
  seals: {common: true, key: order_id, columns: {order_id: Int!}}
  orderRows: {common: true, key: order_id, columns: {order_id: Int!}, bind: {main: {table: seen}}}
  coaches: {common: true, key: id, columns: {id: Int!, name: String, firstName: String, apiToken: String, token_count: Int}}
  guests: {common: true, key: id, columns: {id: Int!, name: String}, bind: {main: {table: visitors}}}
  airports: {common: true, key: code, columns: {code: String!, name: String, address: String, zip: String, phone_code: String}}
`
	cfg, err := config.Parse("usher.yml", []byte(yml), nil)
	if err != nil {
		t.Fatal(err)
	}
	cat, problems := catalog.Compile(cfg.Spec, nil)
	if err := cfg.Locate(problems); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"datasets.coaches: it is common, so every tenant sees all of it; but its column firstName is hardly for everybody, its column apiToken reads like a secret",
		"datasets.contents: it is common, so every tenant sees all of it; but its relation paper leads to one row of papers, whose rows are tenants' (`tenant: {through: paper}`?)",
		"datasets.guests: it is common, so every tenant sees all of it; but it is called after people (guest)",
		"datasets.marks: it is common, so every tenant sees all of it; but its column target_org_id ends like the tenant column of orders, its column made_for looks like a reference to lines, whose rows are tenants'",
		"datasets.orderRows: it is common, so every tenant sees all of it; but its column order_id looks like a reference to orders, whose rows are tenants'",
		"datasets.seals: it is common, so every tenant sees all of it; but its column order_id looks like a reference to orders, whose rows are tenants'",
	}
	if diff := cmp.Diff(want, setup.Exposed(cat, nil)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// By what the tables are found to hold check tells of all that init would serve to nobody.
func TestExposedTables(t *testing.T) {
	t.Parallel()
	src := source(t, `CREATE TABLE orgs (id INTEGER PRIMARY KEY, name VARCHAR);
		CREATE TABLE insurers (id INTEGER PRIMARY KEY, name VARCHAR, clearinghouse_login VARCHAR);
		CREATE TABLE airports (id INTEGER PRIMARY KEY, name VARCHAR, address VARCHAR);
		CREATE TABLE hl7_in_queue (id INTEGER PRIMARY KEY, status VARCHAR);
		CREATE TABLE web_session (id INTEGER PRIMARY KEY, session_data VARCHAR);
		CREATE TABLE authenticator (id INTEGER PRIMARY KEY, config JSON);
		CREATE TABLE global_property (property VARCHAR PRIMARY KEY, property_value VARCHAR);
		CREATE TABLE features (key VARCHAR PRIMARY KEY, name VARCHAR);
		CREATE TABLE hsm_key (label VARCHAR PRIMARY KEY);
		CREATE VIEW totals AS SELECT count(*) AS n FROM orgs`)
	yml := `sources: {main: {kind: duckdb, path: x.duckdb}}
strategies: {shared: {kind: shared, source: main}}
datasets:
  orgs: {tenant: id, key: id}
  insurers: {common: true}
  airports: {common: true}
  queued: {common: true, bind: {main: {table: hl7_in_queue}}}
  web_session: {common: true}
  authenticator: {common: true}
  global_property: {common: true}
  features: {common: true}
  hsm_key: {common: true}
  totals: {common: true}
`
	cfg, err := config.Parse("usher.yml", []byte(yml), nil)
	if err != nil {
		t.Fatal(err)
	}
	found := catalog.Introspected{"main": src.Tables}
	cat, problems := catalog.Compile(cfg.Spec, found)
	if err := cfg.Locate(problems); err != nil {
		t.Fatal(err)
	}
	const common = ": it is common, so every tenant sees all of it; but "
	want := []string{
		"datasets.authenticator" + common + "its column config reads like a secret",
		"datasets.global_property" + common + "it is called like one of what programs keep (property), its column property_value reads like a secret",
		"datasets.hsm_key" + common + "it is called like one of what programs keep (key)",
		"datasets.insurers" + common + "its column clearinghouse_login is hardly for everybody",
		"datasets.queued" + common + "it is called like one of what programs keep (queue)",
		"datasets.totals" + common + "it is a view of main, and nobody confines what that shows, or sums up, of rows that are tenants'",
		"datasets.web_session" + common + "it is called like one of what people are or do (session), its column session_data reads like a secret",
	}
	if diff := cmp.Diff(want, setup.Exposed(cat, found)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		keys []string
		want []setup.Tenant
	}{
		{[]string{"acme", "42", "a-b_c", ""}, nil},
		{
			[]string{"acme", "ACME", "Acme!", "007", "Ünï Söhne", "", "---", strings.Repeat("X", 100)},
			[]setup.Tenant{
				{ID: "acme", Key: "acme"},
				{ID: "acme-2", Key: "ACME"},
				{ID: "acme-3", Key: "Acme!"},
				{ID: "007", Key: "007"},
				{ID: "n--s-hne", Key: "Ünï Söhne"},
				{ID: "tenant", Key: "---"},
				{ID: strings.Repeat("x", 56), Key: strings.Repeat("X", 100)},
			},
		},
		{[]string{"acme", "system", "NULL"}, []setup.Tenant{{ID: "acme", Key: "acme"}, {ID: "system-2", Key: "system"}, {ID: "null-2", Key: "NULL"}}},
	} {
		got := setup.Identify(c.keys)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		for _, tenant := range got {
			if principal.CheckTenantID(tenant.ID) != nil {
				t.Errorf("%q is no id", tenant.ID)
			}
		}
	}
}

// Of many tenants the first are registered, and the one of the sample.
func TestRegisterMany(t *testing.T) {
	t.Parallel()
	var keys []string
	for n := range 1000 {
		keys = append(keys, fmt.Sprintf("KEY %d", n))
	}
	var d setup.Draft
	d.Register(keys, "KEY 999")
	if len(d.Tenants) != setup.MaxTenants || !d.More || d.ID("KEY 999") != "key-999" || d.ID("KEY 0") != "key-0" || d.ID("KEY 500") != "" {
		t.Errorf("%d tenants, more: %t, the last is %v", len(d.Tenants), d.More, d.Tenants[len(d.Tenants)-1])
	}
}

// Whatever a name is, YAML reads it as that text.
func FuzzScalar(f *testing.F) {
	for _, text := range []string{"id", "null", "Yes", "1e3", "0x1F", "a: b", "- a", "#", "'", `"`, "\t", "é", "{}", "~", "", ".inf", "1_000", "!tag", "*a", "&a", "a #b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ToValidUTF8(text, "") != text || strings.ContainsAny(text, "\x00\u2028\u2029\u0085\ufeff") || hasControl(text) {
			t.Skip("databases have no such names")
		}
		yml := "sources: {main: {kind: duckdb, path: x.duckdb}}\ndatasets: {a: {label: " + setup.Scalar(text) + ", bind: {" + setup.Scalar(text+"k") + ": {table: t}}}}\n"
		cfg, err := config.Parse("usher.yml", []byte(yml), nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, yml)
		}
		d := cfg.Spec.Datasets["a"]
		if _, ok := d.Bind[text+"k"]; d.Label != text || !ok {
			t.Errorf("%q is read as %q, and as a key in %v", text, d.Label, d.Bind)
		}
	})
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 })
}

// Beside the column that is taken others are named that are in many tables, unless what they lead to has it.
func TestPassed(t *testing.T) {
	t.Parallel()
	draft, err := setup.Propose(source(t, `CREATE TABLE organizations (id INTEGER PRIMARY KEY, name VARCHAR);
		CREATE TABLE projects (id INTEGER PRIMARY KEY, organization_id INTEGER);
		CREATE TABLE tasks (id INTEGER PRIMARY KEY, organization_id INTEGER, project_id INTEGER, franchise_id INTEGER);
		CREATE TABLE notes (id INTEGER PRIMARY KEY, organization_id INTEGER, project_id INTEGER, franchise_id INTEGER, board_id INTEGER);
		CREATE TABLE bills (id INTEGER PRIMARY KEY, organization_id INTEGER, franchise_id INTEGER, board_id INTEGER);
		CREATE TABLE boards (id INTEGER PRIMARY KEY, organization_id INTEGER);
		CREATE TABLE pins (id INTEGER PRIMARY KEY, organization_id INTEGER, board_id INTEGER);`), setup.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"project_id (in 2 of 7 tables), which leads to what belongs to somebody itself", "franchise_id (in 3 of 7 tables), which is in fewer"}
	if diff := cmp.Diff(want, draft.Passed); draft.Column != "organization_id" || diff != "" {
		t.Errorf("%s: -want +got:\n%s", draft.Column, diff)
	}
}
