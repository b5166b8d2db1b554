package sqlexec

import (
	"context"

	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// Run answers a query level by level, the root first, where what a level reads
// has to be brought first: each nested level is one statement for all its
// parents.
type Run struct {
	Session Session
	Dialect sqlgen.Dialect
	// Before is called before a level is rendered and returns the level to
	// render. Parents are the keys of the level's parents.
	Before func(ctx context.Context, l plan.Level, parents [][]value.Value) (plan.Level, error)
	// After is called when a portion of an export has been read; nil: nothing is.
	After func(ctx context.Context) error
}

// AsPlanned is a Before that renders each level as it is.
func AsPlanned(_ context.Context, l plan.Level, _ [][]value.Value) (plan.Level, error) { return l, nil }

// allowance bounds the rows of one statement in memory. The zero value has used
// nothing.
type allowance struct{ rows, bytes int }

const (
	maxRows  = 500_000
	maxBytes = 256 << 20
)

var errTooLarge = fault.New(fault.TooComplex, "the answer is too large").WithHint("ask for fewer rows or fields")

func (a *allowance) exceeded(rows, bytes int) bool {
	a.rows += rows
	a.bytes += bytes
	return a.rows > maxRows || a.bytes > maxBytes
}

// Query answers all levels of a query.
func (r Run) Query(ctx context.Context, q plan.Query) (*value.Result, error) {
	if !q.Valid() {
		return nil, fault.Broken("%w", sqlgen.ErrNotPlanned)
	}
	c := charge{share: held.From(ctx)}
	result, err := r.level(ctx, q.Root(), nil, &c)
	if err != nil {
		return nil, err
	}
	return result, c.settle(result)
}

// Fetch streams the rows of a query without nested levels.
func Fetch(ctx context.Context, s Session, d sqlgen.Dialect, q plan.Query, each func(value.Rows) error) error {
	if !q.Valid() {
		return fault.Broken("%w", sqlgen.ErrNotPlanned)
	}
	statement, err := sqlgen.Render(q.Root(), d)
	if err != nil {
		return err
	}
	if err := fits(statement.Args.Len(), q.Root().Columns()); err != nil {
		return err
	}
	rows, err := ask(ctx, s, plannedAs(q.Root()), statement.Text, statement.Args.Bind(nil))
	if err != nil {
		return err
	}
	if err := each(rows); err != nil {
		return err
	}
	return rows.Err()
}

// level runs one statement. Keys holds, for each link, the parents' keys.
func (r Run) level(ctx context.Context, l plan.Level, keys [][]value.Value, c *charge) (*value.Result, error) {
	here, err := r.Before(ctx, l, keys)
	if err != nil {
		return nil, err
	}
	statement, err := sqlgen.Render(here, r.Dialect)
	if err != nil {
		return nil, err
	}
	if err := fits(statement.Args.Len(), 0); err != nil {
		return nil, err
	}
	own := statement.Args.Bind(nil)
	args := make([]string, 0, len(keys)+len(own))
	for _, list := range keys {
		args = append(args, r.Dialect.KeyList(value.Values(list)))
	}
	rows, err := ask(ctx, r.Session, plannedAs(l), statement.Text, append(args, own...))
	if err != nil {
		return nil, err
	}
	buffer, err := read(rows, max(First(l)+l.Columns(), 1), expected(l, keys), c)
	if err != nil {
		return nil, err
	}
	result := &value.Result{Rows: buffer}
	for i := range l.Children() {
		child, err := r.child(ctx, l, l.Child(i), buffer, c)
		if err != nil {
			return nil, err
		}
		result.Children = append(result.Children, child)
	}
	if total, ok := l.Total(); ok {
		if result.Total, err = r.level(ctx, total, nil, c); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// child runs a nested level for all rows of its parent.
func (r Run) child(ctx context.Context, parent, l plan.Level, rows *value.Buffer, c *charge) (value.Child, error) {
	shift := First(parent)
	keys := make([][]value.Value, l.Links())
	var owner []int // row of the parent, by number in keys
	for i := range rows.Len() {
		row := rows.Row(i)
		null := false
		for k := range l.Links() {
			null = null || row.Null(shift+l.Link(k).Cell())
		}
		if null && !l.OneGroup() {
			continue // a null key has no rows
		}
		owner = append(owner, i)
		for k := range l.Links() {
			link := l.Link(k)
			keys[k] = append(keys[k], value.Bound(parent.Column(link.Cell()).Type(), row.Cell(shift+link.Cell())))
		}
	}
	child := value.Child{Start: make([]int, rows.Len()+1)}
	if len(owner) == 0 {
		child.Result = empty(l)
		return child, nil
	}
	var err error
	if child.Result, err = r.level(ctx, l, keys, c); err != nil {
		return child, err
	}
	// Rows come in the order of their parents: count them, then sum up.
	for i := range child.Result.Rows.Len() {
		child.Start[owner[child.Result.Rows.Row(i).Cell(0).Int-1]+1]++
	}
	for i := range rows.Len() {
		child.Start[i+1] += child.Start[i]
	}
	return child, nil
}

// First is the index of a level's first own cell: a nested level's rows begin
// with the number of their parent.
func First(l plan.Level) int {
	if l.Links() > 0 {
		return 1
	}
	return 0
}

// empty is the result of a level without parents.
func empty(l plan.Level) *value.Result {
	r := &value.Result{Rows: value.NewBuffer(l.Columns() + 1)}
	for i := range l.Children() {
		r.Children = append(r.Children, value.Child{Result: empty(l.Child(i)), Start: []int{0}})
	}
	return r
}

// expected is how many rows to make room for: what the limit lets through, but
// not more than an answer often has.
func expected(l plan.Level, keys [][]value.Value) int {
	if l.Limit() < 0 || l.Grouped() {
		return 16
	}
	n := l.Limit()
	if len(keys) > 0 {
		n = min(n, 4) * len(keys[0])
	}
	return min(n+1, 1024)
}

func read(rows value.Rows, width, expected int, c *charge) (*value.Buffer, error) {
	buffer := value.NewBuffer(width)
	buffer.Reserve(expected)
	return buffer, fill(buffer, rows, c)
}

// fill copies rows into a buffer and closes them.
func fill(buffer *value.Buffer, rows value.Rows, c *charge) error {
	size := 0
	for rows.Next() {
		for i := range buffer.Width() {
			buffer.Append(rows.Cell(i))
		}
		if buffer.Len() > maxRows || buffer.Bytes() > maxBytes {
			_ = rows.Close()
			return errTooLarge
		}
		if now := buffer.Size(); now != size {
			if err := c.add(now - size); err != nil {
				_ = rows.Close()
				return err
			}
			size = now
		}
	}
	return ended(rows)
}

// ended closes rows that were read to their end and says whether that was it.
func ended(rows value.Rows) error {
	err := rows.Err()
	if closing := rows.Close(); err == nil {
		err = closing
	}
	return err
}
