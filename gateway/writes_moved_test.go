package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"usher/pgtest"
)

// Tables in which a trigger makes rows the tenant's b, and what b has there: rows with the keys that are given. The trigger
// is the same without b's rows, and so has to be every answer.
const movedTables = `
CREATE FUNCTION moving() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.note = 'moved' THEN new.tenant := 'b'; END IF; RETURN new; END $$;
CREATE FUNCTION carrying() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.sku = 'moved' THEN new.box_id := 2; END IF; RETURN new; END $$;
CREATE TABLE plain (tenant text NOT NULL, id int NOT NULL, code text, note text, owner int, PRIMARY KEY (tenant, id), UNIQUE (code, tenant), UNIQUE (code, tenant, note));
CREATE TABLE parted (LIKE plain) PARTITION BY HASH (tenant);
ALTER TABLE parted ADD PRIMARY KEY (tenant, id), ADD UNIQUE (code, tenant), ADD UNIQUE (code, tenant, note), ADD FOREIGN KEY (tenant, owner) REFERENCES parted;
ALTER TABLE plain ADD FOREIGN KEY (tenant, owner) REFERENCES plain;
CREATE TABLE parted_of PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TRIGGER moving BEFORE INSERT OR UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION moving();
CREATE TRIGGER moving BEFORE INSERT OR UPDATE ON parted FOR EACH ROW EXECUTE FUNCTION moving();
CREATE TRIGGER carrying BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION carrying();
ALTER TABLE items ADD UNIQUE (box_id, sku);
INSERT INTO plain VALUES ('a', 1, 'one', 'x'), ('a', 3, 'three', 'x'), ('a', 4, 'four', 'moved!');
INSERT INTO parted SELECT * FROM plain;
INSERT INTO items VALUES (1, 2, 'second');
`

const movedInto = `
INSERT INTO plain VALUES ('b', 7, 'theirs', 'x'), ('b', 8, 'x, a, moved', 'y'), ('b', 3, 'b3', 'x'), ('b', 1, 'b1', 'x');
INSERT INTO parted SELECT * FROM plain WHERE tenant = 'b';
INSERT INTO items VALUES (2, 9, 'z');
`

var movedDatasets = func(text string) string {
	more := ""
	for _, name := range []string{"plain", "parted"} {
		more += fmt.Sprintf("  %s: {tenant: tenant, key: [id], writable: true, columns: {tenant: String!, id: Int!, code: String, note: String, owner: Int}}\n", name)
	}
	return text + more
}

func openMoved(t *testing.T, more string) (writing, pgtest.DB) {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables+movedTables+more)
	return openWrittenAs(t, db, movedDatasets), db
}

// Whether a tenant has a row is not told by a trigger that makes rows that tenant's.
func TestMovedRowsTellNothing(t *testing.T) {
	t.Parallel()
	with, db := openMoved(t, movedInto)
	without, _ := openMoved(t, "")
	keys := [2]string{with.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), without.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")}
	ask := func(text string) (answers [2]string) {
		answers[0], answers[1] = with.query(t, keys[0], text), without.query(t, keys[1], text)
		return answers
	}
	rows := func() (sum string) {
		if err := db.Open(t).QueryRowContext(t.Context(), `SELECT md5(string_agg(x, '' ORDER BY x)) FROM (SELECT p::text AS x FROM plain AS p WHERE id <> 5 UNION ALL SELECT p::text FROM parted AS p WHERE id <> 5) AS all_of`).Scan(&sum); err != nil {
			t.Fatal(err)
		}
		return sum
	}
	before := rows()
	const outside = "null FORBIDDEN: what would be written to"
	for _, of := range []string{"Plain", "Parted"} {
		for _, text := range []string{
			`insert%sOne(row: {id: 7, note: "moved"}) { id }`,
			`insert%sOne(row: {id: 1, note: "moved"}) { id }`,
			`insert%sOne(row: {id: 4, note: "moved"}) { id }`,
			`insert%sOne(row: {id: 6, code: "theirs", note: "moved"}) { id }`,
			`insert%sOne(row: {id: 6, code: "x, a, moved", note: "moved"}) { id }`,
			`insert%sOne(row: {id: 6, note: "moved", owner: 4}) { id }`,
			`insert%s(rows: [{id: 6}, {id: 7, note: "moved"}]) { affected }`,
			`insert%s(rows: [{id: 7, note: "moved"}, {id: 1}]) { affected }`,
			`insert%s(rows: [{id: 7, note: "moved"}, {id: 9, owner: 1}, {id: 1}, {id: 10}]) { affected }`,
			`insert%s(rows: [{id: 7, note: "moved"}], onConflict: {key: id, update: [note]}) { affected }`,
			`insert%s(rows: [{id: 1, note: "moved"}], onConflict: {key: id, update: [note]}) { affected }`,
			`insert%s(rows: [{id: 5}, {id: 7, note: "moved"}], onConflict: {key: id, update: [code]}) { affected }`,
			`insert%s(rows: [{id: 7, note: "moved"}], onConflict: {key: id, update: []}) { affected }`,
			`insert%s(rows: [{id: 1}, {id: 7, note: "moved"}, {id: 8, code: "one"}], onConflict: {key: id, update: []}) { affected }`,
			`insert%s(rows: [{id: 6, code: "theirs", note: "moved"}], onConflict: {key: code, update: [note]}) { affected }`,
			`update%sByPk(id: 3, set: {note: "moved"}) { id }`,
			`update%sByPk(id: 4, set: {code: "theirs", note: "moved"}) { id }`,
			`update%s(where: {id: {in: [3, 4]}}, set: {note: "moved"}) { affected }`,
			`update%s(all: true, set: {note: "moved", code: "one"}) { affected }`,
		} {
			text := "mutation { " + fmt.Sprintf(text, of) + " }"
			answers := ask(text)
			if got := short(t, answers[0]); !strings.HasPrefix(got, outside) || answers[0] != answers[1] {
				t.Errorf("%s\nwith    %s\nwithout %s", text, answers[0], answers[1])
			}
		}
		// What collides with rows of the own tenant's is told as ever.
		for text, want := range map[string]string{
			`insert%sOne(row: {id: 1}) { id }`:                                                              "null CONFLICT: there is a row of",
			`insert%s(rows: [{id: 6}, {id: 1}, {id: 7, note: "moved"}]) { affected }`:                       "null CONFLICT: there is a row of",
			`insert%s(rows: [{id: 6, code: "one"}], onConflict: {key: id, update: [note]}) { affected }`:    "null CONFLICT: there is a row of",
			`update%s(where: {id: {in: [3, 4]}}, set: {code: "same"}) { affected }`:                         "null CONFLICT: there is a row of",
			`insert%s(rows: [{id: 1, note: "y"}, {id: 5}], onConflict: {key: id, update: []}) { affected }`: `{"insert` + of + `":{"affected":1}}`,
		} {
			text := "mutation { " + fmt.Sprintf(text, of) + " }"
			answers := ask(text)
			if got := short(t, answers[0]); !strings.HasPrefix(got, want) || answers[0] != answers[1] {
				t.Errorf("%s\nwith    %s\nwithout %s", text, answers[0], answers[1])
			}
		}
	}
	// Rows that are a tenant's by their parents.
	for text, want := range map[string]string{
		`insertItemsOne(row: {box_id: 1, line: 9, sku: "moved"}) { line }`:                            outside,
		`insertItems(rows: [{box_id: 1, line: 9, sku: "moved"}, {box_id: 1, line: 1}]) { affected }`:  outside,
		`updateItemsByPk(box_id: 1, line: 1, set: {sku: "moved"}) { line }`:                           outside,
		`insertItemsOne(row: {box_id: 1, line: 1, sku: "new"}) { line }`:                              "null CONFLICT: there is a row of items with the same box_id, line",
		`insertItems(rows: [{box_id: 1, line: 5}, {box_id: 1, line: 6, sku: "second"}]) { affected }`: "null CONFLICT: there is a row of items with the same box_id, sku",
	} {
		answers := ask("mutation { " + text + " }")
		if got := short(t, answers[0]); !strings.HasPrefix(got, want) || answers[0] != answers[1] {
			t.Errorf("%s\nwith    %s\nwithout %s", text, answers[0], answers[1])
		}
	}
	// Imports.
	for body, want := range map[string]string{
		"id,note\n1,moved\n":                   "403 ",
		"id,note\n4,moved\n":                   "403 ",
		"id,note\n7,moved\n":                   "403 ",
		"id,note\n20,x\n7,moved\n1,x\n":        "403 ",
		"id,note\n20,x\n21,x\n7,moved\n22,x\n": "403 ",
		"id,note\n20,x\n1,x\n7,moved\n":        "409 ",
	} {
		for _, of := range []string{"plain", "parted"} {
			var answers [2]string
			for i, w := range []writing{with, without} {
				answers[i] = w.imported(t, keys[i], of, body)
			}
			if !strings.HasPrefix(answers[0], want) || answers[0] != answers[1] || !strings.Contains(answers[0], `"line":`) {
				t.Errorf("%q\nwith    %s\nwithout %s", body, answers[0], answers[1])
			}
		}
	}
	if after := rows(); after != before {
		t.Error("rows were written")
	}
}

// A trigger that was made after usher read the tables tells no more, on the first write either.
func TestRowsMovedByALaterTriggerTellNothing(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"one":           `insert%sOne(row: {id: 7, note: "moved"}) { id }`,
		"upsert":        `insert%s(rows: [{id: 7, note: "moved"}], onConflict: {key: id, update: [note]}) { affected }`,
		"several":       `insert%s(rows: [{id: 5}, {id: 7, note: "moved"}], onConflict: {key: id, update: [code]}) { affected }`,
		"found":         `insert%s(rows: [{id: 7, note: "moved"}], onConflict: {key: id, update: []}) { affected }`,
		"another key":   `insert%s(rows: [{id: 6, code: "theirs", note: "moved"}], onConflict: {key: code, update: [note]}) { affected }`,
		"update by key": `update%sByPk(id: 3, set: {note: "moved"}) { id }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var answers [2]map[string]string
			for i, more := range []string{movedInto, ""} {
				of, db := openMoved(t, "ALTER TABLE plain DISABLE TRIGGER moving; ALTER TABLE parted DISABLE TRIGGER moving;"+more)
				key := of.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
				db.Exec(t, "ALTER TABLE plain ENABLE TRIGGER moving; ALTER TABLE parted ENABLE TRIGGER moving")
				answers[i] = make(map[string]string)
				for _, name := range []string{"Plain", "Parted"} {
					answers[i][name] = of.query(t, key, "mutation { "+fmt.Sprintf(text, name)+" }")
				}
			}
			for name, with := range answers[0] {
				without := answers[1][name]
				if got := short(t, with); !strings.HasPrefix(got, "null FORBIDDEN: what would be written to") || with != without {
					t.Errorf("%s\nwith    %s\nwithout %s", name, with, without)
				}
			}
		})
	}
}

// A trigger that writes no row is not a row that is there.
func TestATriggerThatWritesNoneIsNoConflict(t *testing.T) {
	t.Parallel()
	of, db := openMoved(t, `CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.note = 'none' THEN RETURN NULL; END IF; RETURN new; END $$;
		ALTER TABLE plain DISABLE TRIGGER moving; CREATE TRIGGER nothing BEFORE INSERT OR UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION nothing()`)
	key := of.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, update := range []string{"note", ""} {
		text := fmt.Sprintf(`mutation { insertPlain(rows: [{id: 5}, {id: 7, note: "none"}], onConflict: {key: id, update: [%s]}) { affected } }`, update)
		if got := short(t, of.query(t, key, text)); !strings.HasPrefix(got, "null FORBIDDEN: ") {
			t.Errorf("[%s]: %s", update, got)
		}
	}
	var rows int
	if err := db.Open(t).QueryRowContext(t.Context(), "SELECT count(*) FROM plain WHERE id IN (5, 7)").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows are written, %v", rows, err)
	}
}

// Nor does the way of the refusal tell it: it is as long with such a row as without.
func TestMovedRowsTakeAsLong(t *testing.T) {
	t.Parallel()
	var trips [2]map[string]int64
	for i, more := range []string{movedInto, ""} {
		db := pgtest.Start(t).Database(t)
		db.Exec(t, writtenTables+movedTables+more)
		away := db.Away(t, 0)
		g := openWrittenAs(t, away.DB, movedDatasets)
		ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		trips[i] = make(map[string]int64)
		for _, text := range []string{
			`insert%sOne(row: {id: 7, note: "moved"}) { id }`,
			`insert%s(rows: [{id: 7, note: "moved"}], onConflict: {key: id, update: [note]}) { affected }`,
			`insert%s(rows: [{id: 5}, {id: 7, note: "moved"}], onConflict: {key: id, update: [code]}) { affected }`,
			`updateBy: update%sByPk(id: 3, set: {note: "moved"}) { id }`,
		} {
			for _, of := range []string{"Plain", "Parted"} {
				text := "mutation { " + fmt.Sprintf(text, of) + " }"
				least := int64(1 << 30) // of what runs beside it, some of the times none does
				for range 8 {
					before := away.Trips()
					if got := short(t, g.query(t, ann, text)); !strings.HasPrefix(got, "null FORBIDDEN: what would be written to") {
						t.Fatalf("%s: %s", text, got)
					}
					least = min(least, away.Trips()-before)
				}
				trips[i][text] = least
			}
		}
		var file strings.Builder
		file.WriteString("id,note\n")
		for id := range 100 {
			note := "x"
			if id == 30 {
				id, note = 7, "moved"
			} else {
				id += 100
			}
			_, _ = fmt.Fprintf(&file, "%d,%s\n", id, note)
		}
		for _, of := range []string{"plain", "parted"} {
			least := int64(1 << 30)
			for range 8 {
				before := away.Trips()
				if got := g.imported(t, ann, of, file.String()); !strings.HasPrefix(got, "403 ") {
					t.Fatalf("an import into %s: %s", of, got)
				}
				least = min(least, away.Trips()-before)
			}
			trips[i]["an import into "+of] = least
		}
	}
	for text, with := range trips[0] {
		if without := trips[1][text]; 8*(with-without) > max(16, with) || 8*(without-with) > max(16, with) { // an eighth
			t.Errorf("%s: %d round trips with the other tenant's row, %d without", text, with, without)
		}
	}
}

// imported is the status and the body for a file of rows.
func (g writing) imported(t *testing.T, token, dataset, body string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/import/"+dataset, strings.NewReader(body))
	r.Header.Set("Content-Type", "text/csv")
	r.Header.Set("Authorization", "Bearer "+token)
	got := httptest.NewRecorder()
	g.Handler().ServeHTTP(got, r)
	return plainAnswer(got)
}
