package sqlgen

import (
	"bytes"
	"strconv"

	"usher/plan"
	"usher/value"
)

// PostgresImport is how PostgreSQL spells imports.
var PostgresImport ImportDialect = postgres{}

// Staged has the server read values where it takes them, if that is all there is to do.
func (d postgres) Staged(f plan.Field) (typ string, asItIs bool) {
	typ = postgresTypes[f.Type.Scalar]
	switch d.Given("x", f, "") {
	case "x", "CAST(x AS " + typ + ")":
		if f.Type.Scalar == value.Int { // a row of as many as a table may have has to fit into the session's, too
			typ = "integer"
		}
		return typ, true
	}
	return "text", false
}

func (postgres) LinkType(t value.Type) string { return postgresTypes[t.Scalar] }

func (postgres) Linked(text string, t value.Type) string {
	if t.Scalar == value.Bytes {
		return "decode(" + text + ", 'base64')"
	}
	return "CAST(" + text + " AS " + postgresTypes[t.Scalar] + ")"
}

// AppendStaged writes a line of COPY's text format.
func (d postgres) AppendStaged(b []byte, n int64, row []plan.Given) []byte {
	b = strconv.AppendInt(b, n, 10)
	for _, g := range row {
		b = append(b, '\t')
		if g.Null() {
			b = append(b, '\\', 'N')
			continue
		}
		text := ""
		if g.List() {
			text = textOf(g, d).Text()
		} else {
			text = argText(g.Value())
		}
		from := 0
		for i := range len(text) {
			var escaped byte
			switch text[i] {
			case '\\':
				escaped = '\\'
			case '\t':
				escaped = 't'
			case '\n':
				escaped = 'n'
			case '\r':
				escaped = 'r'
			default:
				continue
			}
			b = append(append(b, text[from:i]...), '\\', escaped)
			from = i + 1
		}
		b = append(b, text[from:]...)
	}
	return append(b, '\n')
}

// Lists reads what AppendStaged has written.
func (postgres) Lists(staged []byte, columns int) []string {
	lists := make([][]byte, columns)
	between := byte('{')
	for line := range bytes.Lines(staged) {
		_, rest, _ := bytes.Cut(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\t'}) // behind its number
		for n := range lists {
			var cell []byte
			cell, rest, _ = bytes.Cut(rest, []byte{'\t'})
			lists[n] = append(lists[n], between)
			if string(cell) == `\N` {
				lists[n] = append(lists[n], "NULL"...)
				continue
			}
			lists[n] = append(appendListed(append(lists[n], '"'), cell), '"')
		}
		between = ','
	}
	out := make([]string, columns)
	for n, list := range lists {
		out[n] = string(append(list, '}'))
	}
	return out
}

// appendListed writes a cell of COPY's text format as what stands within the quotes of an array's item.
func appendListed(b, cell []byte) []byte {
	for i := 0; i < len(cell); i++ {
		switch cell[i] {
		case '"':
			b = append(b, '\\', '"')
			continue
		case '\\':
		default:
			b = append(b, cell[i])
			continue
		}
		switch i++; cell[i] {
		case 't':
			b = append(b, '\t')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		default:
			b = append(b, '\\', '\\')
		}
	}
	return b
}
