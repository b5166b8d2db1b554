package intake_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"usher/fault"
	"usher/intake"
	"usher/query"
)

// read is what a file has, a row a line, or what is wrong with it.
func read(format, text, columns string) string {
	var named []string
	if columns != "" {
		named = strings.Split(columns, ",")
	}
	rows, err := intake.Open(format, strings.NewReader(text), named)
	if err != nil {
		return fmt.Sprintf("%d: %s", fault.From(err).Line, fault.From(err).Message)
	}
	names, line := rows.Columns()
	out := fmt.Sprintf("%d%v", line, names)
	for {
		line, row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			return out + fmt.Sprintf(" %d: %s", fault.From(err).Line, fault.From(err).Message)
		}
		out += fmt.Sprintf(" %d%s", line, query.AppendJSON(nil, query.List(row)))
	}
}

// TestOpen: what is null, what is empty, and which line it was.
func TestOpen(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5<<20)
	for _, c := range []struct{ format, text, columns, want string }{
		{"csv", "\xef\xbb\xbfa,\"b\"\r\n1,\r\n\"\",\"x\"\"y,\nz\"\r\n\r\n,end", "", `1[a b] 2["1",null] 3["","x\"y,\nz"] 6[null,"end"]`},
		{"csv", "a\n\n\"\"\n1\n", "", `1[a] 2[null] 3[""] 4["1"]`},
		{"csv", "a,b\n1,2,3\n", "", `1[a b] 2: the row has 3 cells, and the first line names 2 columns`},
		{"csv", "a,\n1,2\n", "", `1: the name of column 2 is empty or too long`},
		{"csv", "a\n\"x\n", "", `1[a] 2: a quote is not closed; one within a cell is written twice, and the cell is quoted`},
		{"csv", "a\n\"x\"\"\n", "", `1[a] 2: a quote is not closed; one within a cell is written twice, and the cell is quoted`},
		{"csv", "a\n" + long, "", `1[a] 2: the row is longer than 4194304 bytes`},
		{"csv", "a\n\"" + strings.Repeat("x\n", 3<<20), "", `1[a] 2: the row is longer than 4194304 bytes`},
		{"csv", "a\n1\n", "a", `0: the columns of CSV are named by its first line`},
		{"csv", strings.Repeat(",", 3000), "", `1: there are more than 2000 cells`},
		{"ndjson", "\n{\"a\":1,\"b\":null}\n{\"b\":\"\",\"a\":1.50}", "", `2[a b] 2[1,null] 3[1.50,""]`},
		{"ndjson", "{\"b\":true}\n\n{}\n", "a,b", `0[a b] 1[null,true] 3[null,null]`},
		{"ndjson", "{\"a\":1}\n{\"a\":1,\"c\":2}", "", `1[a] 1[1] 2: c is not among the columns of the import`},
		{"ndjson", "{\"a\":1}\n{}", "", `1[a] 1[1] 2: a is missing, which the first line has`},
		{"ndjson", "{\"a\":1,\"a\":2}", "", `1: a is there twice`},
		{"ndjson", "{\"a\":{\"b\":1,\"b\":2}}", "", `1: b is there twice`},
		{"ndjson", "{\"a\":1} {\"a\":2}", "", `1: the line is no JSON object`},
		{"ndjson", "{\"a\":\"\xff\"}", "", `1: the line is no JSON object`},
		{"ndjson", "{\"a\":\"\ufffd\"}\n{\"a\":[\"\\ufffd\"]}", "", `1[a] 1["�"] 2[["�"]]`},
		{"ndjson", `{"a":` + strings.Repeat("[", 101) + strings.Repeat("]", 101) + "}", "", `1[a] 1[` + strings.Repeat("[", 101) + strings.Repeat("]", 101) + `]`},
		{"ndjson", `{"a":` + strings.Repeat("[", 103) + strings.Repeat("]", 103) + "}", "", `1: the line is no JSON object`},
		{"ndjson", "{\"a\":\"\\ud800\"}", "", `1: the line is no JSON object`},
		{"ndjson", long, "", `1: the row is longer than 4194304 bytes`},
		{"ndjson", "", "", `0: the file is empty: its first line names the columns`},
		{"ndjson", "", "a", `0[a]`},
	} {
		if got := read(c.format, c.text, c.columns); got != c.want {
			t.Errorf("%.60q:\n got %.200s\nwant %s", c.text, got, c.want)
		}
	}
}
