package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lib/pq"
	"golang.org/x/tools/txtar"

	"usher/pgtest"
	"usher/test/program"
)

// flights is the folder of the example.
const flights = "examples/flights"

// TestFlights is examples/flights as its README has it: the questions are asked
// of the files in place, and some more of the same rows in PostgreSQL as well.
// What SQL finds in the raw files is what usher must answer.
func TestFlights(t *testing.T) {
	t.Parallel()
	fetchFlights(t)
	raw := rawFlights(t)
	config := filepath.Join(flights, "usher.yml")
	if out, err := program.Command(t, "check", "--config", config); err != nil || !strings.HasPrefix(out, "ok: ") {
		t.Errorf("usher check: %v\n%s", err, out)
	}
	files := program.Start(t, "serve", "--config", config, "--listen", "127.0.0.1:0")
	postgres := program.Start(t, "serve", "--config", flightsInPostgres(t, raw), "--listen", "127.0.0.1:0")

	token := flightTokens(t)

	readme, err := os.ReadFile(filepath.Join(flights, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	opening, shown := readmeOpening(t, readme)
	if got := opening.answers(t, files, token(opening.as)); got != shown {
		t.Errorf("the README's first request is answered with\n%s", got)
	}
	for _, q := range readmeQuestions(t, readme) {
		t.Run(q.name, func(t *testing.T) {
			got := cells(t, q.answers(t, files, token(q.as)))
			same(t, "README", q.shown, "answer", got)
			same(t, "SQL", selectText(t, raw, q.sql), "answer", got)
		})
	}
	for _, q := range flightQuestions(t) {
		t.Run(q.name, func(t *testing.T) {
			answer := q.answers(t, files, token(q.as))
			want := selectText(t, raw, q.sql)
			if len(want) == 0 {
				t.Error("the question finds nothing")
			}
			same(t, "SQL", want, "answer", cells(t, answer))
			if other := q.answers(t, postgres, token(q.as)); other != answer {
				t.Error("PostgreSQL answers with other bytes")
				same(t, "files", cells(t, answer), "PostgreSQL", cells(t, other))
			}
		})
	}
	t.Run("an airport that is not registered", func(t *testing.T) {
		status, body := program.Fetch(t, files.Ask(t, token("sfo"), "{ flightsAggregate { count } }"))
		if status != http.StatusUnauthorized || !bytes.Contains(body, []byte("UNAUTHENTICATED")) {
			t.Errorf("answered %d %s", status, body)
		}
	})
}

// fetchLimit bounds a download of 18 MB on a slow line.
const fetchLimit = 5 * time.Minute

// fetchFlights runs the example's fetch.sh, which keeps what is there already.
func fetchFlights(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), fetchLimit)
	defer cancel()
	script := exec.CommandContext(ctx, "./fetch.sh")
	script.Dir = flights
	// npm is a child of the script and must end with it.
	script.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	script.Cancel = func() error { return syscall.Kill(-script.Process.Pid, syscall.SIGTERM) }
	script.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	script.Stderr = io.MultiWriter(&said, os.Stderr) // progress, for whoever waits
	if err := script.Run(); err != nil {
		t.Fatalf("the data of %s could not be fetched: %v\n%s\nrun %[1]s/fetch.sh by hand; it needs npm and a network", flights, errors.Join(err, ctx.Err()), &said)
	}
}

// rawFlights is DuckDB where the SQL of the README runs: in the example's folder.
func rawFlights(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "?file_search_path="+flights)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// flightQuestion is asked in GraphQL and in SQL.
type flightQuestion struct {
	name, as, query, sql string
	shown                [][]string // the table of the README
}

// flightQuestions reads testdata/flights.txtar.
func flightQuestions(t *testing.T) []*flightQuestion {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/flights.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var out []*flightQuestion
	for _, f := range archive.Files {
		name, part, _ := strings.Cut(f.Name, "/")
		if len(out) == 0 || out[len(out)-1].name != name {
			out = append(out, &flightQuestion{name: name})
		}
		q, text := out[len(out)-1], strings.TrimSpace(string(f.Data))
		switch part {
		case "as":
			q.as = text
		case "query":
			q.query = text
		case "sql":
			q.sql = text
		default:
			t.Fatalf("%s: a question has no such part", f.Name)
		}
	}
	return out
}

const tokenCommand = "node token\\.mjs (\\S+?)"

var (
	// The parts of the README's first request: whose token, body, answer.
	readmeFirst = regexp.MustCompile("(?s)\\$\\(" + tokenCommand + "\\)\".*?-d '(.*?)'\n```\n\n```json\n(.*?)```")
	// The parts of a question: heading, whose token, GraphQL, rows of the table, SQL.
	readmeQuestion = regexp.MustCompile("(?s)### ([^\n]*)\n\nToken: `" + tokenCommand + "`\n\n```graphql\n(.*?)```\n\n[^\n]*\n\\|-[^\n]*\n(.*?)\n\n.*?```sql\n(.*?);\n```")
)

// readmeOpening is the README's first request, and the answer it shows.
func readmeOpening(t *testing.T, readme []byte) (*flightQuestion, string) {
	t.Helper()
	part := readmeFirst.FindSubmatch(readme)
	if part == nil {
		t.Fatal("the README has no first request with its answer")
	}
	var body struct{ Query string }
	if err := json.Unmarshal(part[2], &body); err != nil {
		t.Fatalf("the README's first request: %v", err)
	}
	return &flightQuestion{as: string(part[1]), query: body.Query}, strings.TrimSpace(string(part[3]))
}

// readmeQuestions are the questions under the README's headings.
func readmeQuestions(t *testing.T, readme []byte) []*flightQuestion {
	t.Helper()
	var out []*flightQuestion
	for _, part := range readmeQuestion.FindAllStringSubmatch(string(readme), -1) {
		q := &flightQuestion{name: part[1], as: part[2], query: part[3], sql: part[5]}
		for line := range strings.SplitSeq(part[4], "\n") {
			q.shown = append(q.shown, strings.Split(strings.Trim(line, "| "), " | "))
		}
		out = append(out, q)
	}
	if headings := strings.Count(string(readme), "\n### "); len(out) != headings {
		t.Fatalf("%d of the %d questions in the README have a token, GraphQL, a table and SQL", len(out), headings)
	}
	return out
}

// flightTokens returns what makes the tokens that the README has people send,
// each once.
func flightTokens(t *testing.T) func(who string) string {
	made := make(map[string]string)
	return func(who string) string {
		if made[who] == "" {
			script := exec.CommandContext(t.Context(), "node", "token.mjs", who) //nolint:gosec // the tests of this repository name the tenant
			script.Dir = flights
			script.Stderr = os.Stderr
			token, err := script.Output()
			if err != nil {
				t.Fatalf("node token.mjs %s: %v", who, err)
			}
			made[who] = strings.TrimSpace(string(token))
		}
		return made[who]
	}
}

// answers asks and returns the body.
func (q *flightQuestion) answers(t *testing.T, u *program.Running, token string) string {
	t.Helper()
	status, body := program.Fetch(t, u.Ask(t, token, q.query))
	if status != http.StatusOK || bytes.Contains(body, []byte(`"errors"`)) {
		t.Fatalf("answered %d %s", status, body)
	}
	return strings.TrimSpace(string(body))
}

// cells are the values of an answer's rows as text, in the order of the document.
func cells(t *testing.T, answer string) [][]string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(answer))
	d.UseNumber()
	next := func() json.Token {
		token, err := d.Token()
		if err != nil {
			t.Fatalf("%v in %s", err, answer)
		}
		return token
	}
	for range 5 { // {"data":{"field":[
		next()
	}
	var leaves func() []string
	leaves = func() (out []string) {
		switch token := next(); token {
		case nil:
			return []string{"null"}
		case json.Delim('{'), json.Delim('['):
			for d.More() {
				if token == json.Delim('{') {
					next() // the name
				}
				out = append(out, leaves()...)
			}
			next()
			return out
		default:
			return []string{fmt.Sprint(token)}
		}
	}
	var rows [][]string
	for d.More() {
		rows = append(rows, leaves())
	}
	return rows
}

// same compares rows. Most are equal, and cmp takes its time to say so.
func same(t *testing.T, wanted string, want [][]string, found string, got [][]string) {
	t.Helper()
	if !slices.EqualFunc(want, got, slices.Equal) {
		t.Errorf("-%s +%s:\n%s", wanted, found, cmp.Diff(want, got))
	}
}

// selectText runs SQL over the raw files and spells the values as answers do.
func selectText(t *testing.T, raw *sql.DB, query string) [][]string {
	t.Helper()
	var out [][]string
	scan(t, raw, query, func(types []*sql.ColumnType, values []any) {
		row := make([]string, len(values))
		for i, v := range values {
			switch v := v.(type) {
			case nil:
				row[i] = "null"
			case float64:
				row[i] = strconv.FormatFloat(v, 'f', -1, 64)
			case time.Time:
				layout := "2006-01-02T15:04:05"
				if types[i].DatabaseTypeName() == "DATE" {
					layout = time.DateOnly
				}
				row[i] = v.Format(layout)
			default:
				row[i] = fmt.Sprint(v)
			}
		}
		out = append(out, row)
	})
	return out
}

// scan hands the rows of a query to each, which must not keep them.
func scan(t *testing.T, db *sql.DB, query string, each func(types []*sql.ColumnType, values []any)) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%v\nin the SQL:\n%s", err, query)
	}
	defer func() { _ = rows.Close() }()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	values, into := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		each(types, values)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// sourcesSection is what differs when the same datasets lie elsewhere.
var sourcesSection = regexp.MustCompile(`(?s)\nsources:\n.*?\n\n`)

// flightsInPostgres loads the rows of two airports, and what is not flights,
// into PostgreSQL and returns the example's configuration for it.
func flightsInPostgres(t *testing.T, raw *sql.DB) string {
	t.Helper()
	db := pgtest.Start(t).DatabaseLocale(t, "en_US") // order must not follow it
	pool := db.Open(t)
	load(t, pool, "flights", raw, "'data/flights-3m.parquet' WHERE origin IN ('LAX', 'ATL')")
	load(t, pool, "airports", raw, "'data/airports.csv'")
	load(t, pool, "birdstrikes", raw, "'data/birdstrikes.csv'")
	db.Exec(t, `ALTER TABLE airports ADD PRIMARY KEY (iata); CREATE INDEX ON flights (origin); ANALYZE`)

	text, err := fs.ReadFile(os.DirFS(flights), "usher.yml")
	if err != nil {
		t.Fatal(err)
	}
	if !sourcesSection.Match(text) {
		t.Fatal("usher.yml has no section of sources with an empty line behind it")
	}
	secret, err := filepath.Abs(filepath.Join(flights, "data/secret"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, filepath.Join(dir, "dsn"), db.URL)
	text = sourcesSection.ReplaceAll(text, []byte("\nsources:\n  files: {kind: postgres, dsn: {file: dsn}}\n\n"))
	program.WriteFile(t, file, strings.ReplaceAll(string(text), "{file: data/secret}", "{file: "+secret+"}"))
	return file
}

// load makes a table like the one that SQL names behind FROM, with its rows.
func load(t *testing.T, into *sql.DB, table string, raw *sql.DB, from string) {
	t.Helper()
	var columns []string
	scan(t, raw, "SELECT column_name, replace(column_type, 'DOUBLE', 'DOUBLE PRECISION') FROM (DESCRIBE FROM "+from+")", func(_ []*sql.ColumnType, values []any) {
		columns = append(columns, fmt.Sprintf("%s %s", pq.QuoteIdentifier(values[0].(string)), values[1]))
	})
	tx, err := into.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), "CREATE TABLE "+table+" ("+strings.Join(columns, ", ")+")"); err != nil {
		t.Fatal(err)
	}
	rows, err := tx.PrepareContext(t.Context(), "COPY "+table+" FROM STDIN")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	scan(t, raw, "SELECT COLUMNS(*)::VARCHAR FROM "+from, func(_ []*sql.ColumnType, values []any) {
		if _, err := rows.ExecContext(t.Context(), values...); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := rows.ExecContext(t.Context()); err != nil { // no values: the end
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}
