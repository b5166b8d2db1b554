package writing

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// placed says where in the input it is that a source refuses: the row, if that is known, and the
// column, if it is one.
func (d *Database) placed(ctx context.Context, c plan.Change, row int, f *fault.Error, v *postgres.Violation) *fault.Error {
	place, fields := "", []givenField(nil)
	switch {
	case row >= 0:
		place, fields = c.Place(row), ofRow(c, row)
	case c.Given() > 0: // of which it is no one's to say where it stands
		f.At = ""
		return f
	case c.Kind().Updates():
		place, fields = setIn(c), ofSet(c)
	default: // what is written into rows that are deleted stands in no input
		f.At = ""
		return f
	}
	column := strings.TrimPrefix(f.At, c.Key()+".")
	if f.At == "" {
		if v.Class() == "22" {
			d.measured(ctx, c, fields)
		}
		column = cmp.Or(unfit(v, c, fields), d.untaken(ctx, v, c, fields), overdone(v, c, fields))
	}
	if loses(v, fields, column) {
		f = postgres.LostLabel()
	}
	f.At = place
	if column == "" {
		return f
	}
	if c.Given() > 0 {
		if !stamped(c, row, column) { // which is no member of the input
			f.At = c.PlaceOf(row, column)
		}
		return f
	}
	for i := range c.Update().Sets() {
		if s := c.Update().Set(i); s.Column().Name == column && s.Place() != "" {
			f.At = c.Key() + "." + s.Place()
		}
	}
	return f
}

// enum tells a column for which nobody gives anything but the labels that the catalog has.
func enum(f plan.Field) bool { return f.Type.Scalar == value.Enum }

// loses tells that what does not fit a column is a label of which the catalog says that there is one.
func loses(v *postgres.Violation, fields []givenField, column string) bool {
	return v.Class() == "22" && column != "" && slices.ContainsFunc(fields, func(g givenField) bool { return g.field.Name == column && enum(g.field) })
}

// setIn is the argument under which something is set: increment, where nothing is under set.
func setIn(c plan.Change) string {
	under := ".increment"
	for i := range c.Update().Sets() {
		if strings.HasPrefix(c.Update().Set(i).Place(), "set.") {
			under = ".set"
		}
	}
	return c.Key() + under
}

// stamped tells a column of a row that usher itself writes.
func stamped(c plan.Change, row int, column string) bool {
	for i := range c.Inserts() {
		into := c.Insert(i)
		for n := range into.Rows() {
			for s := range into.Stamps() {
				if into.Row(n) == row && into.Column(s).Name == column {
					return true
				}
			}
		}
	}
	return false
}

// givenField is a value and the column that it is for.
type givenField struct {
	field plan.Field
	value plan.Given
	added bool
}

func ofRow(c plan.Change, row int) []givenField {
	for i := range c.Inserts() {
		into := c.Insert(i)
		for n := range into.Rows() {
			if into.Row(n) != row {
				continue
			}
			var out []givenField
			for column := into.Stamps(); column < into.Columns(); column++ {
				out = append(out, givenField{into.Column(column), into.Value(column, n), false})
			}
			return out
		}
	}
	return nil
}

func ofSet(c plan.Change) []givenField {
	var out []givenField
	for i := range c.Update().Sets() {
		s := c.Update().Set(i)
		out = append(out, givenField{s.Column(), s.Value(), s.Added()})
	}
	return out
}

// measured gives fields the types that their columns have now, of which those of a table of one tenant's own are not known.
// Of what cannot be asked nothing is known.
func (d *Database) measured(ctx context.Context, c plan.Change, fields []givenField) {
	_ = d.reads.Session(ctx, false, func(s sqlexec.Session) error {
		types, err := sqlexec.Types(ctx, s, d.dialect, c.Table())
		for i, g := range fields {
			if native := types[g.field.Stored]; native != "" {
				fields[i].field.Native = native
			}
		}
		return err
	})
}

// mostIndexed is about how much of a value PostgreSQL keeps in an index: what is less is not what it refuses.
const mostIndexed = 2 << 10

// bounded is a type that takes texts up to a length.
var bounded = regexp.MustCompile(`^(?:character varying|character|varchar|char|bpchar)\((\d+)\)$`)

// unfit is the one column of which the value is too long, too large or not to be kept, if the source says that one
// is, it can be seen without asking, and it is one that is shown.
func unfit(v *postgres.Violation, c plan.Change, fields []givenField) string {
	return soleOf(c, fields, func(g givenField) bool {
		switch {
		case g.value.Null() || g.value.List():
			return false
		case v.Code == postgres.TooMuch:
			return len(g.value.Value().Text()) > mostIndexed
		case v.Code == "22001":
			return tooLong(g)
		case v.Code == "22003":
			return !g.added && tooLarge(g)
		}
		return v.Code == "22P05" && g.field.Type.Scalar == value.JSON && strings.Contains(g.value.Value().Text(), `\u0000`)
	})
}

// overdone is the one column that is added to, where a number has become too large.
func overdone(v *postgres.Violation, c plan.Change, fields []givenField) string {
	return soleOf(c, fields, func(g givenField) bool { return v.Code == "22003" && g.added })
}

// soleOf is the one column that is shown of those that something holds for; empty: there is none, or more.
func soleOf(c plan.Change, fields []givenField, holds func(givenField) bool) string {
	found := ""
	for _, g := range fields {
		switch {
		case c.ColumnStored(g.field.Stored) == "" || !holds(g):
		case found != "":
			return ""
		default:
			found = g.field.Name
		}
	}
	return found
}

// untaken is the first column whose type does not take what it is given, where the source says that of one: it is asked
// for each of them. Only what usher knows of types is known without asking, such as labels and addresses are not.
func (d *Database) untaken(ctx context.Context, v *postgres.Violation, c plan.Change, fields []givenField) string {
	if v.Class() != "22" || v.Code == "22001" {
		return ""
	}
	for _, g := range fields {
		if g.added || g.field.Native == "" || c.ColumnStored(g.field.Stored) == "" || g.field.Form == value.Plain && g.field.Type.Scalar == value.String {
			continue
		}
		statement, err := sqlgen.Taken(g.value, g.field, d.dialect)
		if err != nil {
			continue
		}
		err = d.reads.Session(ctx, false, func(s sqlexec.Session) error {
			_, err := sqlexec.FirstRow(ctx, s, statement.Text, statement.Args.Bind(nil), nil)
			return err
		})
		if refused := violationOf(err, nil); refused != nil && refused.Class() == "22" {
			return g.field.Name
		}
	}
	return ""
}

// firstUnfit is the first row of which that is known without asking; -1: there is none.
func firstUnfit(v *postgres.Violation, c plan.Change) int {
	if v.Code != "22001" && v.Code != "22003" && v.Code != "22P05" && v.Code != postgres.TooMuch {
		return -1
	}
	for row := range c.Given() {
		if unfit(v, c, ofRow(c, row)) != "" {
			return row
		}
	}
	return -1
}

func tooLong(g givenField) bool {
	m := bounded.FindStringSubmatch(g.field.Native)
	if m == nil {
		return false
	}
	most, err := strconv.Atoi(m[1])
	return err == nil && utf8.RuneCountInString(strings.TrimRight(g.value.Value().Text(), " ")) > most // blanks at the end are cut off
}

func tooLarge(g givenField) bool {
	bits := map[string]int{"smallint": 16, "integer": 32, "bigint": 64}[strings.ToLower(g.field.Native)]
	if bits > 0 {
		_, err := strconv.ParseInt(g.value.Value().Text(), 10, bits)
		return err != nil
	}
	return false // decimals have been counted
}
