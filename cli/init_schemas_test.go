package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// Schemas as strangers have them: what init writes starts, check finds nothing
// wrong with it, and every column of every dataset answers. A line `-- args:`
// is how init is asked, `-- says:` what it must print.
func TestInitStartsWithAnySchema(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/schemas/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no schemas", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sql"), func(t *testing.T) {
			t.Parallel()
			text := read(t, file)
			db := pgtest.Start(t).Database(t)
			db.Exec(t, text)
			var args, says []string
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(line, "\n")
				if rest, ok := strings.CutPrefix(line, "-- args: "); ok {
					args = strings.Fields(rest)
				} else if rest, ok := strings.CutPrefix(line, "-- says: "); ok {
					says = append(says, rest)
				}
			}
			starts(t, says, append(args, "--dsn", db.URL)...)
		})
	}
}

// starts runs init and asks everything that came of it.
func starts(t *testing.T, says []string, args ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "usher.yml")
	printed, err := program.Command(t, append([]string{"init", "--out", file}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("USHER_TEST_SHOW") != "" {
		t.Logf("%s\n%s", read(t, file), printed)
	}
	for _, want := range says {
		if !strings.Contains(printed, want) {
			t.Errorf("init does not print %q:\n%s", want, printed)
		}
	}
	if checked, err := program.Command(t, "check", "-c", file); err != nil {
		t.Errorf("check: %v\n%s", err, checked)
	}
	u := program.Start(t, "serve", "-c", file, "--listen", "127.0.0.1:0")
	everythingAnswers(t, u, printedToken.FindStringSubmatch(printed)[1])
}

// everythingAnswers asks for each column and each relation of each dataset.
func everythingAnswers(t *testing.T, u *program.Running, token string) {
	t.Helper()
	var shown struct {
		Data struct {
			Datasets []struct {
				Name      string
				Columns   []struct{ Name string }
				Relations []struct{ Name string }
			}
		}
	}
	status, body := program.Fetch(t, u.Ask(t, token, `{ datasets { name columns { name } relations { name } } }`))
	if err := json.Unmarshal(body, &shown); err != nil || status != http.StatusOK || len(shown.Data.Datasets) == 0 {
		t.Fatalf("%d %s", status, body)
	}
	for _, d := range shown.Data.Datasets {
		fields := "__typename"
		for _, c := range d.Columns {
			fields += " " + c.Name
		}
		for _, r := range d.Relations {
			fields += " " + r.Name + " { __typename }"
		}
		status, body := program.Fetch(t, u.Ask(t, token, fmt.Sprintf("{ %s(limit: 5) { %s } %[1]sAggregate { count } }", d.Name, fields)))
		if status != http.StatusOK || strings.Contains(string(body), `"errors"`) {
			t.Errorf("%s: %d %s", d.Name, status, body)
		}
	}
}

// A reference that is unique leads back to one row, or to none; one that is
// unique for each tenant alone does where its row is a tenant's, too.
func TestInitOfUniqueReferences(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TABLE plan_types (id int PRIMARY KEY, name text);
		CREATE TABLE projects (tenant_id int NOT NULL, id int PRIMARY KEY);
		CREATE TABLE settings (project int PRIMARY KEY REFERENCES projects, color text);
		CREATE TABLE budgets (tenant_id int NOT NULL, id int PRIMARY KEY, project int NOT NULL REFERENCES projects, plan int REFERENCES plan_types, UNIQUE (tenant_id, project), UNIQUE (tenant_id, plan));
		CREATE TABLE tasks (tenant_id int NOT NULL, id int PRIMARY KEY, project int REFERENCES projects);
		INSERT INTO plan_types VALUES (1);
		INSERT INTO projects VALUES (7, 1), (7, 2), (8, 3);
		INSERT INTO settings VALUES (1, 'red'), (3, 'blue');
		INSERT INTO budgets VALUES (7, 10, 2, 1), (8, 11, 3, 1);
		INSERT INTO tasks VALUES (7, 20, 1)`)
	file := filepath.Join(t.TempDir(), "usher.yml")
	printed, err := program.Command(t, "init", "--out", file, "--dsn", db.URL)
	if err != nil {
		t.Fatal(err)
	}
	u := program.Start(t, "serve", "-c", file, "--listen", "127.0.0.1:0")
	status, body := program.Fetch(t, u.Ask(t, printedToken.FindStringSubmatch(printed)[1],
		`{ projects(orderBy: [{id: ASC}]) { id setting { color } budget { id } tasks { id } } plan_types { budgets { id } } }`))
	want := `{"data":{"projects":[{"id":1,"setting":{"color":"red"},"budget":null,"tasks":[{"id":20}]},` +
		`{"id":2,"setting":null,"budget":{"id":10},"tasks":[]}],"plan_types":[{"budgets":[{"id":10}]}]}}`
	if status != http.StatusOK || string(body) != want {
		t.Errorf("%d %s\nwant %s", status, body, want)
	}
}

var datasetLine = regexp.MustCompile(`(?m)^  t\d+:$`)

// Hundreds of tables are written as they are found.
func TestInitOfManyTables(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	var text strings.Builder
	for n := range 300 {
		fmt.Fprintf(&text, "CREATE TABLE t%d (tenant_id int NOT NULL, id int PRIMARY KEY, name text, note text, made timestamptz, amount numeric(10,2), t%d_id int", n, max(n-1, 0))
		if n > 0 {
			fmt.Fprintf(&text, " REFERENCES t%d", n-1)
		}
		text.WriteString(");\n")
	}
	text.WriteString("INSERT INTO t0 VALUES (7, 1); INSERT INTO t1 VALUES (7, 1)")
	db.Exec(t, text.String())
	file := filepath.Join(t.TempDir(), "usher.yml")
	printed, err := program.Command(t, "init", "--out", file, "--dsn", db.URL)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(datasetLine.FindAllString(read(t, file), -1)); n != 300 {
		t.Errorf("%d datasets are written", n)
	}
	u := program.Start(t, "serve", "-c", file, "--listen", "127.0.0.1:0")
	status, body := program.Fetch(t, u.Ask(t, printedToken.FindStringSubmatch(printed)[1], "{ t0 { id } t299Aggregate { count } }"))
	if want := `{"data":{"t0":[{"id":1}],"t299Aggregate":[{"count":0}]}}`; status != http.StatusOK || string(body) != want {
		t.Errorf("%d %s", status, body)
	}
}

// What init writes shows a tenant no row of another one, nor what only lacks a tenant: a row is seen by whose row
// references it, and by nobody where none does.
func TestInitFailsClosed(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TYPE log_level AS ENUM ('low', 'high');
		CREATE TABLE currencies (code text PRIMARY KEY, name text);
		CREATE TABLE plan_types (id int PRIMARY KEY, name text);
		CREATE TABLE users (id int PRIMARY KEY, email text, password text);
		CREATE TABLE organizations (id int PRIMARY KEY, plan_id int REFERENCES plan_types, name text);
		CREATE TABLE contents (id int PRIMARY KEY, data text NOT NULL);
		CREATE TABLE papers (id int PRIMARY KEY, organization_id int NOT NULL REFERENCES organizations, author_id int REFERENCES users, content_id int UNIQUE REFERENCES contents, level log_level NOT NULL);
		CREATE TABLE visits (organization_id int NOT NULL, no int NOT NULL, UNIQUE (organization_id, no));
		CREATE TABLE prompts (id int PRIMARY KEY, interception_id uuid, prompt text);
		CREATE TABLE site_configs (key text UNIQUE NOT NULL, value text NOT NULL);
		CREATE TABLE jobs (id int PRIMARY KEY, args jsonb);
		CREATE TABLE peers (id uuid PRIMARY KEY, beat timestamptz);
		CREATE VIEW papers_with_authors AS SELECT p.id, p.organization_id, u.email AS author_email FROM papers p LEFT JOIN users u ON u.id = p.author_id;
		INSERT INTO plan_types VALUES (1, 'free');
		INSERT INTO currencies VALUES ('EUR', 'Euro');
		INSERT INTO users VALUES (1, 'ann@example.com', 'x');
		INSERT INTO organizations VALUES (1, 1, 'one'), (2, 1, 'two');
		INSERT INTO contents VALUES (1, 'of one'), (2, 'of two'), (3, 'of nobody');
		INSERT INTO papers VALUES (1, 1, 1, 1, 'low'), (2, 2, 1, 2, 'high'), (3, 1, NULL, NULL, 'low');
		INSERT INTO visits VALUES (1, 7), (2, 7);
		INSERT INTO prompts VALUES (1, NULL, 'secret of two'); INSERT INTO site_configs VALUES ('signing_key', 'x'); INSERT INTO jobs VALUES (1, '{}');`)
	file := filepath.Join(t.TempDir(), "usher.yml")
	printed, err := program.Command(t, "init", "--out", file, "--dsn", db.URL, "--tenant", "organization_id")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Confined  contents, organizations, papers, visits\n", "COMMON    currencies, plan_types\n", "Left out  papers_with_authors: it is a view",
		"Left out  jobs:", "Left out  peers:", "Left out  prompts:", "Left out  site_configs:", "Left out  users:",
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("init does not print %q:\n%s", want, printed)
		}
	}
	if checked, err := program.Command(t, "check", "-c", file); err != nil || strings.Contains(checked, "it is common") {
		t.Errorf("check: %v\n%s", err, checked)
	}
	db.Exec(t, `ALTER TYPE log_level ADD VALUE 'middle' BEFORE 'high'`)
	db.Exec(t, `INSERT INTO papers VALUES (4, 1, NULL, NULL, 'middle')`)
	u := program.Start(t, "serve", "-c", file, "--listen", "127.0.0.1:0")
	_, body := program.Fetch(t, u.Ask(t, printedToken.FindStringSubmatch(printed)[1],
		`{ contents { data } papers(orderBy: [{id: ASC}]) { id level content { data } } visits { no } organizations { id } plan_types { name } }`))
	tenant := regexp.MustCompile(`token of the tenant (\w+)`).FindStringSubmatch(printed)[1]
	want := map[string]string{
		"1": `{"data":{"contents":[{"data":"of one"}],"papers":[{"id":1,"level":"low","content":{"data":"of one"}},{"id":3,"level":"low","content":null},{"id":4,"level":"middle","content":null}],` +
			`"visits":[{"no":7}],"organizations":[{"id":1}],"plan_types":[{"name":"free"}]}}`,
		"2": `{"data":{"contents":[{"data":"of two"}],"papers":[{"id":2,"level":"high","content":{"data":"of two"}}],"visits":[{"no":7}],"organizations":[{"id":2}],"plan_types":[{"name":"free"}]}}`,
	}[tenant]
	if string(body) != want {
		t.Errorf("%s sees %s\nwant %s", tenant, body, want)
	}
}

// Of many tables that are left out init prints the names, each under what it lacks; the file has the reasons.
func TestInitOfManyLeftOut(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	text := "CREATE TABLE tasks (tenant_id int NOT NULL, id int PRIMARY KEY); CREATE TABLE schema_migrations (version text); INSERT INTO tasks VALUES (7, 1);"
	for n := range 30 {
		text += fmt.Sprintf("CREATE TABLE some_settings_of_part_%d (id int PRIMARY KEY, note text); CREATE TABLE parts_of_task_%[1]d (id int PRIMARY KEY, task_id int);", n)
	}
	db.Exec(t, text)
	file := filepath.Join(t.TempDir(), "usher.yml")
	printed, err := program.Command(t, "init", "--out", file, "--dsn", db.URL, "--tenant", "tenant_id")
	if err != nil {
		t.Fatal(err)
	}
	_, left, _ := strings.Cut(printed, "Left out  61 tables;")
	left, _, _ = strings.Cut(left, "\nRead it")
	for _, want := range []string{"Whose a row is has to be chosen, and is proposed (30):\n", "Nothing says whose the rows are, nor that they are everybody's (30):\n", "Of tools and extensions (1):\n"} {
		if !strings.Contains(left, want) {
			t.Errorf("init does not print %q:\n%s", want, printed)
		}
	}
	if n := strings.Count(left, "\n"); n < 10 || n > 25 {
		t.Errorf("%d lines tell of what is left out:\n%s", n, printed)
	}
	for line := range strings.Lines(left) {
		if len(line) > 115 {
			t.Errorf("a line of %d bytes: %s", len(line), line)
		}
	}
	if n := strings.Count(read(t, file), " is left out: "); n != 61 {
		t.Errorf("the file tells of %d tables that are left out", n)
	}
}
