package sqlexec

import (
	"context"

	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// Sealed is a change that was prepared, as the one sealed statement that makes it.
type Sealed struct {
	c         plan.Change
	statement *sqlgen.Sealed
}

// PrepareSealed writes the sealed statement of a change that is bound later; nil: it is not one.
func PrepareSealed(c plan.Change, d sqlgen.ChangeDialect) (*sqlgen.Sealed, error) {
	if !sqlgen.Seals(c, d) {
		return nil, nil //nolint:nilnil // it is made by other statements
	}
	sealed, err := sqlgen.WriteSealed(c, d)
	if err == nil {
		err = fits(sealed.Len(), 0)
	}
	return &sealed, err
}

// Seal gives a sealed statement its change.
func Seal(c plan.Change, s *sqlgen.Sealed) (Sealed, error) {
	if !c.Valid() || !c.Prepared() || !c.Bound() || s == nil {
		return Sealed{}, fault.Broken("%w", sqlgen.ErrNotPlanned)
	}
	return Sealed{c, s}, nil
}

// Text is the statement's text.
func (s Sealed) Text() string { return s.statement.Text() }

// Args are its arguments but the last.
func (s Sealed) Args() []string { return s.statement.Bind(s.c) }

// Read reads the row that was written, if there was one, and when the server has read the statement.
func (s Sealed) Read(ctx context.Context, rows value.Rows) (out Changed, read int64, err error) {
	l, c := s.c.Answer(0).Root(), charge{share: held.From(ctx)}
	written := &sealedRow{Rows: rows}
	buffer := value.NewBuffer(max(l.Columns(), 1))
	buffer.Reserve(1)
	out.Results = make([]*value.Result, 1)
	err = fill(buffer, written, &c)
	out.Affected = written.count
	if err != nil || written.count == 0 {
		return out, 0, err
	}
	out.Results[0] = &value.Result{Rows: buffer}
	return out, written.read, c.settle(out.Results...)
}

// sealedRow is the answer's row behind what is said of it, if it is shown.
type sealedRow struct {
	value.Rows
	count int
	read  int64
}

// Next implements value.Rows.
func (r *sealedRow) Next() bool {
	for r.Rows.Next() {
		r.count++
		r.read = r.Rows.Cell(sqlgen.SealedRead).Int
		if r.Rows.Cell(sqlgen.SealedRead - 1).Bool {
			return true
		}
	}
	return false
}

// Cell implements value.Rows.
func (r *sealedRow) Cell(i int) value.Cell { return r.Rows.Cell(sqlgen.SealedCells + i) }
