package writing

import (
	"context"
	"errors"
	"slices"

	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/plan"
)

// A trigger may make a row another tenant's. It could not stay there, whatever is there already: so
// whether it collides with a row of that one's, or leads to one, must not be told. A row is taken for moved unless the source
// says that it collides with one of its own tenant's.

// moves tells that the database's own code may make rows that a change writes another tenant's.
func (d *Database) moves(c plan.Change) bool {
	if d.guard == nil {
		return false
	}
	for _, w := range writtenBy(c) {
		if d.guard.triggers(w.table) {
			return true
		}
	}
	return false
}

// left is the refusal of changes of which a row is not of its tenant any more; nil: that is not why.
func (d *Database) left(ctx context.Context, changes []plan.Change, err error) error {
	var at *ChangeError
	if !errors.As(err, &at) || at.Change < 0 || !d.moves(changes[at.Change]) {
		return nil
	}
	if refused := d.refused(ctx, changes, err); outside(changes[at.Change], refused) {
		return refused
	}
	return nil
}

// outside tells that a row of a change is not to be found among its tenant's when it is written. It is looked for in parts
// all the same, as one that collides is: it takes as long.
func outside(c plan.Change, err error) bool {
	for i := range c.Checks() {
		if errors.Is(err, c.Check(i).Outside()) {
			return true
		}
	}
	return false
}

// moved tells that what a source refuses is a row that is not of its tenant any more, or may be. The row is
// that of the input; -1: it is not known.
func (d *Database) moved(ctx context.Context, c written, row int, v *postgres.Violation) bool {
	if v == nil || d.guard == nil || c.Checks() == 0 || c.Identity().Key() == "" || !d.owns(c, v) || !d.guard.triggers(c.Table()) {
		return false
	}
	if v.Code != "23505" && v.Code != "23P01" && v.Code != "23503" {
		return false
	}
	d.describe(ctx, c, v)
	by, key := d.guard.whose(c.Table())
	for _, column := range by {
		if len(v.Columns) > 0 && !slices.Contains(v.Columns, column) { // the key is everybody's, in that
			continue
		}
		is, known := c.Identity().Key(), true
		if !key {
			is, known = givenIn(c, row, column)
		}
		if same, told := v.Says(column, is); !known || !told || !same {
			return true
		}
	}
	return false
}

// whose are the columns that say whose a row is, as they are stored: the tenant's, which has the tenant's key,
// or those that lead to the row's parent.
func (g *guard) whose(r plan.Ref) (columns []string, key bool) {
	if column := g.tenantOf(r); column != "" {
		return []string{column}, true
	}
	d, b := g.binding(r)
	if b == nil || d.Parent == nil {
		return nil, false
	}
	for _, p := range d.Parent.On {
		columns = append(columns, b.Columns[p.From.Name].Name)
	}
	return columns, false
}

// givenIn is what a row of the input has in a column.
func givenIn(c written, row int, stored string) (text string, known bool) {
	change, ok := c.(plan.Change)
	if !ok || row < 0 {
		return "", false
	}
	for _, g := range ofRow(change, row) {
		if g.field.Stored == stored && !g.value.List() && !g.value.Value().Null() {
			return g.value.Value().Text(), true
		}
	}
	return "", false
}

// owns tells that what a source refuses is of the table that is written, or of one that holds rows of it.
func (d *Database) owns(c written, v *postgres.Violation) bool {
	return v.Table == c.Table().Table() && (v.Schema == c.Table().Schema() || c.Table().Schema() == "") ||
		d.guard != nil && d.guard.holds(c.Table(), v.Schema, v.Table)
}

// columnsText are the columns of a key, or of a foreign key, by its name.
const columnsText = `SELECT a.attname::text FROM pg_class AS t JOIN pg_namespace AS n ON n.oid = t.relnamespace
CROSS JOIN LATERAL (
	SELECT i.indkey::int2[] AS columns FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid WHERE i.indrelid = t.oid AND x.relname = $3::text
	UNION ALL SELECT k.conkey FROM pg_constraint AS k WHERE k.conrelid = t.oid AND k.conname = $3::text AND k.contype = 'f'
) AS k
JOIN unnest(k.columns) WITH ORDINALITY AS e(attnum, n) ON TRUE
JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = e.attnum
WHERE n.nspname = $1::text AND t.relname = $2::text ORDER BY e.n`

// describe looks for the columns of a key of which a source does not say them: it does so to nobody who may
// not read all of them, which for a partition takes a privilege of its own.
func (d *Database) describe(ctx context.Context, c written, v *postgres.Violation) {
	if d.guard == nil || v.Class() != "23" || v.Constraint == "" || len(v.Columns) > 0 || !d.owns(c, v) || ctx.Err() != nil {
		return
	}
	_ = d.reads.Session(ctx, false, func(s sqlexec.Session) error { // what it is asked after is the error
		rows, err := s.Query(ctx, columnsText, []string{v.Schema, v.Table, v.Constraint})
		if err != nil {
			return err
		}
		for rows.Next() {
			v.Columns = append(v.Columns, string(rows.Cell(0).Text))
		}
		return rows.Close()
	})
}
