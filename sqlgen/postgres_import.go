package sqlgen

import (
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
