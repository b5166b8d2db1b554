package sqlgen

import (
	"strconv"
	"strings"

	"usher/plan"
	"usher/value"
)

// ImportDialect is the spelling of an engine that takes many rows at once, by way of a table
// of the session.
type ImportDialect interface {
	ChangeDialect
	// Staged is the type of the session's column for a column's values, and whether that
	// is assigned to the column as it is; else it is text, which Given reads.
	Staged(f plan.Field) (typ string, asItIs bool)
	// LinkType is the type of what a link is compared with, and Linked a text as that.
	LinkType(t value.Type) string
	Linked(text string, t value.Type) string
	// AppendStaged writes a row for the session's table: its number and its values.
	AppendStaged(b []byte, n int64, row []plan.Given) []byte
	// Lists are rows that AppendStaged has written as lists of texts: one for each of so many columns.
	Lists(staged []byte, columns int) []string
}

// Lists are the rows of an import as arguments of a statement: a list for each column, as the
// dialect's Lists writes them. Nil: the rows are in the session's table.
type Lists []string

// relation writes where the rows of an import are, under the name i, and returns how it names a
// column's values there, and whether these are assigned to the column as they are; else they are texts.
func (w *writer) relation(i plan.Import, rows Lists, d ImportDialect) (from string, column func(n int) (x string, asItIs bool)) {
	name := func(n int) string { return "i.c" + strconv.Itoa(n) }
	if rows == nil {
		return stagedRows + " AS i", func(n int) (string, bool) {
			_, asItIs := d.Staged(i.Column(n))
			return name(n), asItIs
		}
	}
	if len(rows) != i.Columns() && w.err == nil {
		w.err = ErrNotPlanned
	}
	lists := make([]string, len(rows))
	for n, list := range rows {
		lists[n] = w.bind(list, asItStands)
	}
	return d.Texts(lists) + " AS i", func(n int) (string, bool) { return name(n), false }
}

// The tables of the session: rows with their number in the input, and the keys of what
// was written, with the number of each among them. Both end with the transaction.
const (
	stagedRows = "pg_temp.usher_import"
	stagedKeys = "pg_temp.usher_import_keys"
)

// CopyStaged begins to take rows into the session's table.
const CopyStaged = "COPY " + stagedRows + " FROM STDIN"

// CountKeys counts the rows that were written.
const CountKeys = "SELECT count(*) FROM " + stagedKeys

// Stage makes the tables of the session.
func Stage(i plan.Import, d ImportDialect) ([]string, error) {
	if !i.Valid() || i.Columns() == 0 || i.Keys() == 0 {
		return nil, ErrNotPlanned
	}
	var rows, keys strings.Builder
	rows.WriteString("CREATE TEMPORARY TABLE " + stagedRows + " (n " + d.InternalType(value.Of(value.BigInt)))
	for n := range i.Columns() {
		typ, _ := d.Staged(i.Column(n))
		rows.WriteString(", c" + strconv.Itoa(n) + " " + typ)
	}
	keys.WriteString("CREATE TEMPORARY TABLE " + stagedKeys + " (n " + d.InternalType(value.Of(value.BigInt)))
	for n := range i.Keys() {
		keys.WriteString(", k" + strconv.Itoa(n) + " " + d.LinkType(i.KeyColumn(n).Type))
	}
	const end = ") ON COMMIT DROP"
	return []string{rows.String() + end, keys.String() + end}, nil
}

// Missing writes the statement that looks for what the rows lead to: the number of the
// first row that leads to nothing, or null.
func Missing(i plan.Import, rows Lists, lead plan.Lead, l plan.Level, lock Lock, d ImportDialect) (Statement, error) {
	if !i.Valid() || l.Refs() == 0 || l.Links() == 0 || l.Grouped() {
		return Statement{}, ErrNotPlanned
	}
	w := &writer{d: d, l: l, args: &arguments{}}
	from, column := w.relation(i, rows, d)
	var keys, there, numbers []string
	for link := range l.Links() {
		typ := l.Link(link).Type()
		x := ""
		if n, ok := lead.From(link); ok {
			asItIs := false
			if x, asItIs = column(n); !asItIs {
				x = d.Linked(x, typ)
			}
		} else {
			x = w.bind(textOf(lead.Value(link), d).Text(), func(n string) string { return d.Linked("CAST("+n+" AS "+d.TextType()+")", typ) })
		}
		keys, there, numbers = append(keys, x+" AS k"+strconv.Itoa(link)), append(there, x+" IS NOT NULL"), append(numbers, strconv.Itoa(link+1))
	}
	w.put("WITH p", w.d.Materialized(), "SELECT ", strings.Join(keys, ", "), ", min(i.n) AS n FROM ", from, " WHERE ", strings.Join(there, " AND "),
		" GROUP BY ", strings.Join(numbers, ", "), "), there", w.d.Materialized(), "SELECT p.n FROM ")
	w.from(w.linkedTo("p"))
	w.condition(" WHERE ", l.Where())
	if lock != NoLock {
		w.put(d.Lock(lock, table(0)))
	}
	w.put(") SELECT min(p.n) FROM p WHERE NOT EXISTS (SELECT FROM there WHERE there.n = p.n)")
	return Statement{Text: w.b.String(), Args: w.args.Args}, w.err
}

// linkedTo writes the first reference joined to rows of the session that have the keys.
func (w *writer) linkedTo(rows string) func() {
	return func() {
		w.put(rows, " JOIN ")
		w.reference(0)
		w.put(" ON ")
		w.links()
	}
}

// Lines finds the first and the last line of the rows of the session's table.
const Lines = "SELECT min(n), max(n) FROM " + stagedRows

// Load writes the statement that inserts the rows of the session's table, or those of some
// lines, and notes their keys. A table of the session is read in the order in which it was written.
func Load(i plan.Import, lines []int64, d ImportDialect) (Statement, error) {
	w, own, err := loading(i, nil, lines, d)
	if err != nil {
		return Statement{}, err
	}
	for n := range i.Keys() {
		if n > 0 {
			w.put(", ")
		}
		f := i.KeyColumn(n)
		w.put(own(d.Read(changed+"."+Identifier(f.Stored), f)), " AS k", strconv.Itoa(n))
	}
	w.put(") INSERT INTO ", stagedKeys, " SELECT row_number() OVER (), ", writtenRows, ".* FROM ", writtenRows)
	return Statement{Text: w.b.String(), Args: w.args.Args}, w.err
}

// loading begins a statement that inserts the rows, or those of some lines, up to what it returns
// of each: of its key only if it is of the own tenant's.
func loading(i plan.Import, rows Lists, lines []int64, d ImportDialect) (*writer, func(key string) string, error) {
	if !i.Valid() || i.Columns() == 0 || i.Keys() == 0 || i.Table().ScopeKind() == 0 {
		return nil, nil, ErrNotPlanned
	}
	w := &writer{d: d, args: &arguments{}, written: named(i.Table())}
	stamped := i.Table().TenantColumn() == ""
	var names, values []string
	for n := range i.Stamps() {
		f, given := i.Stamp(n)
		stamped = stamped || f.Name == i.Table().TenantColumn()
		names, values = append(names, Identifier(f.Stored)), append(values, w.given(given, f, d))
	}
	if !stamped {
		return nil, nil, ErrNotPlanned
	}
	from, column := w.relation(i, rows, d)
	for n := range i.Columns() {
		f := i.Column(n)
		x, asItIs := column(n)
		if !asItIs {
			x = d.Given(x, f, w.written)
		}
		names, values = append(names, Identifier(f.Stored)), append(values, x)
	}
	w.put("WITH ", writtenRows, " AS (INSERT INTO ")
	w.into(i.Table())
	w.put(" (", strings.Join(names, ", "), ") SELECT ", strings.Join(values, ", "), " FROM ", from)
	if len(lines) == 2 {
		w.put(" WHERE i.n BETWEEN ", strconv.FormatInt(lines[0], 10), " AND ", strconv.FormatInt(lines[1], 10))
	}
	w.put(" RETURNING ")
	stamp := func(n int) plan.Field {
		f, _ := i.Stamp(n)
		return f
	}
	return w, ownRow(i.Table(), i.Stamps(), stamp, values), w.err
}

// LoadsAtOnce tells whether rows can be inserted and checked by one statement, where what the source
// returns of the rows it writes is what is there afterwards: that is all that checks read.
func LoadsAtOnce(i plan.Import) bool {
	if !i.Valid() || i.Snapshot() || i.Checks() == 0 {
		return false
	}
	for n := range i.Checks() {
		if l := i.Check(n).Level(); l.Columns() > 0 || !alone(l) {
			return false
		}
	}
	return true
}

// LoadWhole writes the statement that inserts the rows and counts them, and those of them that are
// right by a check. The third cell is what is told of the table.
func LoadWhole(i plan.Import, rows Lists, told string, d ImportDialect) (Statement, error) {
	if !LoadsAtOnce(i) {
		return Statement{}, ErrNotPlanned
	}
	w, _, err := loading(i, rows, nil, d)
	if err != nil {
		return Statement{}, err
	}
	var levels []plan.Level
	var fields, right []string
	seen := make(map[string]bool)
	for n := range i.Checks() {
		l, mark := &writer{d: d, l: i.Check(n).Level(), args: w.args}, rightMark+strconv.Itoa(n)
		levels = append(levels, l.l)
		fields, right = append(fields, l.markedFields(mark, seen)), append(right, "("+l.holds(mark)+")")
		if w.err == nil {
			w.err = l.err
		}
	}
	w.returned(levels)
	w.put(") SELECT count(*), count(*)", d.Filter(strings.Join(right, " OR ")), ", CAST(", told, " AS ", d.InternalType(value.Of(value.BigInt)),
		") FROM (SELECT ", strings.Join(fields, ", "), " FROM ", writtenRows, " AS ", table(0), ") AS ", table(0))
	return Statement{Text: w.b.String(), Args: w.args.Args}, w.err
}

// written begins a statement about rows that were written and are right by a check.
func written(c plan.Check, d ImportDialect) (*writer, error) {
	l := c.Level()
	if l.Refs() == 0 || l.Links() == 0 || l.Grouped() {
		return nil, ErrNotPlanned
	}
	return &writer{d: d, l: l, args: &arguments{}}, nil
}

// ofCheck writes the rows of a check by their keys.
func (w *writer) ofCheck() {
	w.put(" FROM ")
	w.from(w.linkedTo(stagedKeys + " AS p"))
	w.condition(" WHERE ", w.l.Where())
}

// right writes that what a row of the check leads to is there.
func (w *writer) right() string {
	cells := []string{"TRUE"}
	for i := range w.l.Columns() {
		cells = append(cells, w.stored(w.l.Column(i)))
	}
	return "(" + strings.Join(cells, " AND ") + ")"
}

// Right counts the rows that a check finds, and those of them that are right. The third cell is
// what is told of the table.
func Right(c plan.Check, told string, d ImportDialect) (Statement, error) {
	w, err := written(c, d)
	if err != nil {
		return Statement{}, err
	}
	w.put("SELECT count(*), count(*)", w.d.Filter(w.right()), ", ", told)
	w.ofCheck()
	return Statement{Text: w.b.String(), Args: w.args.Args}, w.err
}

// ForgetRight forgets the keys of rows that are right by a check: others need not
// look at them.
func ForgetRight(c plan.Check, d ImportDialect) (Statement, error) {
	w, err := written(c, d)
	if err != nil {
		return Statement{}, err
	}
	w.put("DELETE FROM ", stagedKeys, " AS k USING (SELECT p.n, ", w.right(), " AS fine")
	w.ofCheck()
	w.put(") AS r WHERE r.n = k.n AND r.fine")
	return Statement{Text: w.b.String(), Args: w.args.Args}, w.err
}

// Wrong finds the first row that is not right by a check: its number in the input, whether
// it was found, and the check's cells of it.
func Wrong(c plan.Check, d ImportDialect) (Statement, error) {
	w, err := written(c, d)
	if err != nil {
		return Statement{}, err
	}
	w.put("SELECT (SELECT i.n FROM ", stagedRows, " AS i OFFSET k.n - 1 LIMIT 1), r.n IS NOT NULL")
	for i := range w.l.Columns() {
		w.put(", r.c", strconv.Itoa(i))
	}
	w.put(" FROM ", stagedKeys, " AS k LEFT JOIN (SELECT p.n, ", w.right(), " AS fine, ")
	w.columns()
	w.ofCheck()
	w.put(") AS r ON r.n = k.n WHERE r.fine IS NOT TRUE ORDER BY k.n LIMIT 1")
	return Statement{Text: w.b.String(), Args: w.args.Args}, w.err
}
