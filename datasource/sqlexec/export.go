package sqlexec

import (
	"context"
	"time"

	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// Cursors is a session that reads one result in portions, between which other
// statements may run. It is one of a snapshot.
type Cursors interface {
	// Cursor begins a statement. It ends with the session.
	Cursor(ctx context.Context, text string, args []string) (Cursor, error)
}

// Cursor is a result of which portions are read.
type Cursor interface {
	// Next is the next portion: so many rows, or fewer when they are the last ones.
	Next(ctx context.Context, rows int) (value.Rows, error)
}

// Portions are first of few rows and then of about so many bytes: what is held of a
// result is bounded however many rows it has, and however long they are.
const (
	firstPortion = 128
	mostRows     = 8192
	portionBytes = 512 << 10
)

// Export reads the root of a query portion by portion, with what is nested in the
// portion's rows, and hands on each before it reads the next: whoever takes them
// slowly has the source wait. What a portion holds is the share's until each
// returns. No portion may take longer than patience, if that is not 0.
func (r Run) Export(ctx context.Context, q plan.Query, patience time.Duration, each func(*value.Result) error) error {
	if !q.Valid() {
		return fault.Broken("%w", sqlgen.ErrNotPlanned)
	}
	cursor, err := r.open(ctx, q.Root())
	if err != nil {
		return err
	}
	share := held.From(ctx)
	for rows := firstPortion; ; {
		result, err := r.portion(ctx, q.Root(), cursor, rows, patience)
		if err != nil {
			return err
		}
		n, size := result.Rows.Len(), result.Size()
		if n > 0 {
			err = each(result)
		}
		share.Give(int64(size))
		if err != nil || n < rows {
			return err
		}
		rows = min(max(1, portionBytes/max(1, size/n)), mostRows, 4*rows)
	}
}

func (r Run) open(ctx context.Context, l plan.Level) (Cursor, error) {
	here, err := r.Before(ctx, l, nil)
	if err != nil {
		return nil, err
	}
	statement, err := sqlgen.Render(here, r.Dialect)
	if err != nil {
		return nil, err
	}
	if err := fits(statement.Args.Len(), l.Columns()); err != nil {
		return nil, err
	}
	session, ok := r.Session.(Cursors)
	if !ok {
		return nil, fault.New(fault.Internal, "a session of the source has no cursors")
	}
	return session.Cursor(ctx, statement.Text, statement.Args.Bind(nil))
}

// portion reads rows and all that is nested in them.
func (r Run) portion(ctx context.Context, l plan.Level, cursor Cursor, rows int, patience time.Duration) (*value.Result, error) {
	if patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	found, err := cursor.Next(ctx, rows)
	if err != nil {
		return nil, err
	}
	c := charge{share: held.From(ctx)}
	buffer, err := read(found, max(l.Columns(), 1), min(rows, 1024), &c)
	if err != nil {
		return nil, err
	}
	result := &value.Result{Rows: buffer}
	for i := range l.Children() {
		child, err := r.child(ctx, l, l.Child(i), buffer, &c)
		if err != nil {
			return nil, err
		}
		result.Children = append(result.Children, child)
	}
	if r.After != nil {
		if err := r.After(ctx); err != nil {
			return nil, err
		}
	}
	return result, c.settle(result)
}
