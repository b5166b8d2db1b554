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
	db.Exec(t, `CREATE TABLE plans (id int PRIMARY KEY);
		CREATE TABLE projects (tenant_id int NOT NULL, id int PRIMARY KEY);
		CREATE TABLE settings (project int PRIMARY KEY REFERENCES projects, color text);
		CREATE TABLE budgets (tenant_id int NOT NULL, id int PRIMARY KEY, project int NOT NULL REFERENCES projects, plan int REFERENCES plans, UNIQUE (tenant_id, project), UNIQUE (tenant_id, plan));
		CREATE TABLE tasks (tenant_id int NOT NULL, id int PRIMARY KEY, project int REFERENCES projects);
		INSERT INTO plans VALUES (1);
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
		`{ projects(orderBy: [{id: ASC}]) { id setting { color } budget { id } tasks { id } } plans { budgets { id } } }`))
	want := `{"data":{"projects":[{"id":1,"setting":{"color":"red"},"budget":null,"tasks":[{"id":20}]},` +
		`{"id":2,"setting":null,"budget":{"id":10},"tasks":[]}],"plans":[{"budgets":[{"id":10}]}]}}`
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
