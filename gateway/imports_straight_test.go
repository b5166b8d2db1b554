package gateway_test

import (
	"strconv"
	"strings"
	"testing"
)

// TestImportsStraight: rows of which nothing is asked but whose they are go into their table as they
// come, if all of them are there; else by way of a table of the session. What the owner's code
// finds, what is refused and what is told of it is the same either way.
func TestImportsStraight(t *testing.T) {
	t.Parallel()
	i := openImports(t, "")
	ann := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	exec := func(text string) {
		t.Helper()
		if _, err := i.sql.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	exec(`ALTER TABLE boxes ADD how text DEFAULT split_part(current_query(), ' ', 1), ADD path text DEFAULT current_setting('search_path')`)
	many := &strings.Builder{}
	many.WriteString("id\n")
	for n := range 100_000 {
		many.WriteString("9" + strings.Repeat("0", 8-len(strconv.Itoa(n))) + strconv.Itoa(n) + "\n")
	}
	for _, c := range []struct{ path, body, where, want string }{
		{"/import/boxes?format=csv", "id\n20\n21\n", "id IN (20, 21)", "a COPY 2"},
		{"/import/boxes?format=ndjson", "{\"id\":22}\n{\"id\":\"23\"}\n", "id IN (22, 23)", "a COPY 2"},
		{"/import/boxes?format=csv&batch=2", "id\n24\n25\n26\n", "id IN (24, 25, 26)", "a COPY 3"},
		{"/import/boxes?format=csv", many.String(), "id >= 900000000", "a WITH 100000"},
	} {
		if got := i.load(t, ann, c.path, c.body); !strings.HasPrefix(got, "200 ") {
			t.Errorf("%s: %s", c.path, got)
		}
		if got := i.rows(t, `SELECT string_agg(found, ', ') FROM (SELECT tenant || ' ' || how || ' ' || count(*) AS found FROM boxes WHERE path LIKE '%public%' AND `+c.where+` GROUP BY tenant, how) t`); got != c.want {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
	for _, c := range []struct{ path, body, want string }{
		{"/import/boxes?format=csv", "id\n30\n2\n", failed(409, "there is a row of boxes with the same id", `,"line":3,"rows":0`)}, // another's
		{"/import/boxes?format=csv", "id\n30\n31\n30\n", failed(409, "there is a row of boxes with the same id", `,"line":4,"rows":0`)},
		{"/import/boxes?format=csv&batch=2", "id\n30\n31\n32\n30\n", failed(409, "there is a row of boxes with the same id", `,"line":5,"rows":2`)},
	} {
		if got := i.load(t, ann, c.path, c.body); got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.body, got, c.want)
		}
	}
	// A trigger that nobody knew of when the rows were planned makes them another's.
	exec(`CREATE FUNCTION moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.tenant := 'b'; RETURN NEW; END $$`)
	exec(`CREATE TRIGGER moved BEFORE INSERT ON boxes FOR EACH ROW EXECUTE FUNCTION moved()`)
	if got := i.load(t, ann, "/import/boxes?format=csv", "id\n40\n41\n"); strings.HasPrefix(got, "200 ") {
		t.Errorf("rows that became another's are taken: %s", got)
	}
	if got := i.rows(t, `SELECT string_agg(id::text, ' ' ORDER BY id) FROM boxes WHERE id BETWEEN 2 AND 99 AND tenant = 'b' OR id BETWEEN 30 AND 99`); got != "2 30 31" {
		t.Errorf("there are %s", got)
	}
	i.quiet(t)
}
