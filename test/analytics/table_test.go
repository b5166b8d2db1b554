package analytics

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// missing is how a null is written in a table.
const missing = "∅"

// flat makes a table of an answer's root lists: a row for each object, the
// cells in the order asked; an object with nested lists has a row for each of
// their items.
func flat(t *testing.T, answer []byte) [][]string {
	t.Helper()
	var response struct {
		Errors json.RawMessage
		Data   json.RawMessage
	}
	if err := json.Unmarshal(answer, &response); err != nil || response.Errors != nil {
		t.Fatalf("%v %s", err, answer[:min(len(answer), 1000)])
	}
	var out [][]string
	for _, root := range members(t, response.Data) {
		out = append(out, expand(t, root)...)
	}
	return out
}

// expand is the rows of a value: of a list those of its items, of an object
// every combination of its members' rows.
func expand(t *testing.T, raw json.RawMessage) [][]string {
	t.Helper()
	switch raw[0] {
	case '[':
		var out [][]string
		for _, item := range members(t, raw) {
			out = append(out, expand(t, item)...)
		}
		return out
	case '{':
		out := [][]string{nil}
		for _, m := range members(t, raw) {
			var next [][]string
			for _, head := range out {
				for _, tail := range expand(t, m) {
					next = append(next, append(append([]string(nil), head...), tail...))
				}
			}
			out = next
		}
		return out
	case '"':
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			t.Fatal(err)
		}
		return [][]string{{text}}
	}
	if string(raw) == "null" {
		return [][]string{{missing}}
	}
	return [][]string{{string(raw)}}
}

// members are the values in an object or a list, in their order.
func members(t *testing.T, raw json.RawMessage) []json.RawMessage {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	first, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	var out []json.RawMessage
	for d.More() {
		if first == json.Delim('{') {
			if _, err := d.Token(); err != nil {
				t.Fatal(err)
			}
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		out = append(out, value)
	}
	return out
}

// table runs a statement whose columns are all text.
func table(t *testing.T, db *sql.DB, statement string) [][]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), statement)
	if err != nil {
		t.Fatalf("%v\nin the SQL:\n%s", err, statement)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for rows.Next() {
		cells, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(cells))
		for i, c := range cells {
			row[i] = c.String
			if !c.Valid {
				row[i] = missing
			}
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// compareTables wants equal cells, row by row. A cell of the SQL that begins
// with ~ is a double, which was computed in another order: twelve digits of it
// count.
func compareTables(t *testing.T, got, want [][]string) {
	t.Helper()
	if len(want) == 0 {
		t.Fatal("the SQL has no rows, so the question shows nothing")
	}
	if len(got) != len(want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if len(got[i]) != len(want[i]) {
			t.Fatalf("row %d\ngot  %q\nwant %q", i, got[i], want[i])
		}
		for j := range got[i] {
			if !sameCell(got[i][j], want[i][j]) {
				t.Fatalf("row %d, column %d\ngot  %q\nwant %q", i, j, got[i], want[i])
			}
		}
	}
}

var number = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

func sameCell(got, want string) bool {
	if double, ok := strings.CutPrefix(want, "~"); ok {
		g, err := strconv.ParseFloat(got, 64)
		w, wrong := strconv.ParseFloat(double, 64)
		return err == nil && wrong == nil && math.Abs(g-w) <= 1e-12*math.Max(math.Abs(g), math.Abs(w))
	}
	if number.MatchString(got) && number.MatchString(want) {
		g, _ := new(big.Rat).SetString(got)
		w, _ := new(big.Rat).SetString(want)
		return g.Cmp(w) == 0
	}
	if at, err := time.Parse(time.RFC3339Nano, got); err == nil && len(want) == len(time.DateOnly) {
		return at.Format(time.DateTime) == want+" 00:00:00" // a bucket of days, by the clock of its zone
	}
	return got == want
}
