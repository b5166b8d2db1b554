package cli_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

const tasksTable = `CREATE TABLE tasks (tenant_id int NOT NULL, id int PRIMARY KEY); INSERT INTO tasks VALUES (7, 1)`

// A database is named as libpq names one. What is written starts without the
// variables and files that it came from, and no secret stands in it.
func TestInitTakesWhatLibpqTakes(t *testing.T) {
	db := pgtest.Start(t).Database(t)
	db.Exec(t, tasksTable)
	services := filepath.Join(t.TempDir(), "services.conf")
	program.WriteFile(t, services, fmt.Sprintf("[tasks]\nhost=%s\nport=%d\ndbname=%s\nuser=%s\npassword=%s\n", db.Host, db.Port, db.Name, db.User, db.Password))
	port := fmt.Sprint(db.Port)
	for name, c := range map[string]struct {
		args []string
		env  map[string]string
	}{
		"keywords":                   {[]string{"--dsn", fmt.Sprintf("host=%s port=%d dbname='%s' user=%s password='%s'", db.Host, db.Port, db.Name, db.User, db.Password)}, nil},
		"a service":                  {[]string{"--dsn", "service=tasks"}, map[string]string{"PGSERVICEFILE": services}},
		"variables":                  {nil, map[string]string{"PGHOST": db.Host, "PGPORT": port, "PGDATABASE": db.Name, "PGUSER": db.User, "PGPASSWORD": db.Password, "PGSSLMODE": "prefer"}},
		"a service in the variables": {nil, map[string]string{"PGSERVICE": "tasks", "PGSERVICEFILE": services}},
		"a URL without the password": {[]string{"--dsn", fmt.Sprintf("postgres://%s@%s:%d/%s", db.User, db.Host, db.Port, db.Name)}, map[string]string{"PGPASSWORD": db.Password}},
		"USHER_DSN with keywords":    {nil, map[string]string{"USHER_DSN": fmt.Sprintf("host=%s port=%d dbname=%s user=%s password=%s sslmode=disable", db.Host, db.Port, db.Name, db.User, db.Password)}},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, text := range c.env {
				t.Setenv(variable, text)
			}
			dir := t.TempDir()
			file := filepath.Join(dir, "usher.yml")
			printed, errs, err := program.CommandIn(t, os.LookupEnv, "", append([]string{"init", "--out", file}, c.args...)...)
			if err != nil {
				t.Fatalf("%v\n%s", err, errs)
			}
			written := read(t, file)
			if strings.Contains(written, db.Password) || !strings.Contains(written, "password: {file: usher.password}") {
				t.Errorf("the password is not in a file of its own:\n%s", written)
			}
			if info, err := os.Stat(filepath.Join(dir, "usher.password")); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("others may read the password: %v", err)
			}
			for variable := range c.env {
				t.Setenv(variable, "")
			}
			u := program.Start(t, "serve", "-c", file, "--listen", "127.0.0.1:0")
			status, body := program.Fetch(t, u.Ask(t, printedToken.FindStringSubmatch(printed)[1], "{ tasks { id } }"))
			if want := `{"data":{"tasks":[{"id":1}]}}`; status != http.StatusOK || string(body) != want {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}

// A URL that says all stays where it is.
func TestInitKeepsAWholeDSN(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, tasksTable)
	file := filepath.Join(t.TempDir(), "usher.yml")
	env := func(name string) (string, bool) { return db.URL, name == "USHER_DSN" }
	if _, _, err := program.CommandIn(t, env, "", "init", "--out", file); err != nil {
		t.Fatal(err)
	}
	if _, err := url.Parse(db.URL); err != nil || !strings.Contains(read(t, file), "dsn: {env: USHER_DSN}") {
		t.Error(read(t, file))
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "usher.dsn")); left != nil {
		t.Error("the DSN is written beside the variable that holds it")
	}
}

// Files have no constraints: a key is proposed where the rows show one.
func TestInitProposesKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	csv := func(name, text string) string {
		file := filepath.Join(dir, name+".csv")
		program.WriteFile(t, file, text)
		return file
	}
	files := strings.Join([]string{
		csv("orders", "shop,amount,order_id\nacme,1,10\nacme,1,11\nglobex,2,12\n"),
		csv("lines", "shop,id,code\nacme,1,a\nacme,1,b\nglobex,2,c\n"), // not by its id
		csv("gaps", "shop,id\nacme,1\nacme,\nglobex,3\n"),              // not where it lacks one
		csv("twice", "shop,n\nacme,1\nacme,1\n"),                       // by nothing
		csv("empty", "shop,id\n"),                                      // nothing is known
		csv("currencies", "code,rate\nEUR,0.5\nUSD,0.5\n"),             // of rows that are everybody's
		csv("notes", "shop,text,password\nacme,x,p\nacme,x,q\n"),       // not by a secret
	}, ",")
	file := filepath.Join(dir, "usher.yml")
	printed, err := program.Command(t, "init", "--files", files, "--tenant", "shop", "--out", file)
	if err != nil {
		t.Fatal(err)
	}
	written := read(t, file)
	var keys []string
	for line := range strings.Lines(written) {
		if key, ok := strings.CutPrefix(line, "    key: "); ok {
			keys = append(keys, strings.TrimSpace(key))
		}
	}
	want := "code   # no constraint says so: in all 2 rows it is there and differs|" +
		"code   # no constraint says so: in all 3 rows it is there and differs|order_id   # no constraint says so: in all 3 rows it is there and differs"
	if got := strings.Join(keys, "|"); got != want {
		t.Errorf("the keys are %s\n%s", got, written)
	}
	if !strings.Contains(printed, "Key       orders: no constraint says so, but all 3 rows differ in order_id and none lacks it") {
		t.Errorf("nothing is said of a key:\n%s", printed)
	}
	u := program.Start(t, "serve", "-c", file, "--listen", "127.0.0.1:0")
	token := printedToken.FindStringSubmatch(printed)[1]
	if _, body := program.Fetch(t, u.Ask(t, token, `{ ordersByPk(order_id: 10) { amount } }`)); !strings.Contains(string(body), `"ordersByPk":`) {
		t.Errorf("%s", body)
	}
	everythingAnswers(t, u, token)
}

// DuckDB has schemas, too.
func TestInitOfDuckDBSchemas(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "shop.duckdb")
	program.MakeDuckDB(t, file, `CREATE SCHEMA sales; CREATE TABLE orders (tenant_id INTEGER NOT NULL, id INTEGER, note VARCHAR);
		CREATE TABLE sales.orders (tenant_id INTEGER NOT NULL, id INTEGER PRIMARY KEY); CREATE TABLE sales.items (tenant_id INTEGER NOT NULL, id INTEGER PRIMARY KEY, mood ENUM ('sad', 'so so'));
		INSERT INTO orders VALUES (7, 1, 'a'), (7, 2, 'a'); INSERT INTO sales.orders VALUES (7, 1); INSERT INTO sales.items VALUES (7, 1, 'so so')`)
	starts(t, []string{"Confined  items, orders, sales_orders", "all 2 rows differ in id"}, "--duckdb", file, "--schema", "main,sales")
}

// Nothing is put in place that does not start.
func TestInitWritesNothingThatDoesNotStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "usher.yml")
	secret := filepath.Join(dir, "short")
	program.WriteFile(t, secret, "too short\n")
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), tasksTable)
	_, err := program.Command(t, "init", "--duckdb", filepath.Join(dir, "shop.duckdb"), "--issuer-secret", secret, "--out", file)
	if err == nil || !strings.Contains(err.Error(), "no configuration is written, since it would not start") {
		t.Errorf("%v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "usher*")); left != nil {
		t.Errorf("%s is left", left)
	}
}

// Who names the server's authority wants to know who answers, on this machine too.
func TestInitOfAnAuthority(t *testing.T) {
	t.Parallel()
	db := pgtest.StartOwn(t).Database(t)
	db.Exec(t, tasksTable)
	signed, key := pgtest.Certificate(t)
	db.Encrypt(t, signed, key)
	cert := filepath.Join(t.TempDir(), "ca.crt")
	program.WriteFile(t, cert, signed)
	for name, dsn := range map[string]string{
		"keywords": fmt.Sprintf("host=127.0.0.1 port=%d dbname='%s' user=%s password='%s' sslrootcert=%s", db.Port, db.Name, db.User, db.Password, cert),
		"a URL":    fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s?sslrootcert=%s", db.User, db.Password, db.Port, db.Name, cert),
	} {
		file := filepath.Join(t.TempDir(), "usher.yml")
		_, errs, err := program.CommandIn(t, os.LookupEnv, "", "init", "--out", file, "--dsn", dsn)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, errs)
			continue
		}
		if written := read(t, file); strings.Contains(written, "sslmode: disable") {
			t.Errorf("%s: the authority is not asked for:\n%s", name, written)
		}
	}
}
