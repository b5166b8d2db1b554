package datasource

import (
	"context"
	"time"

	"usher/datasource/receipt"
	"usher/sqlgen"
)

// noted writes a receipt, if somebody wants one.
type noted struct {
	next
	dialect sqlgen.Dialect
}

func (n *noted) ask(ctx context.Context, q *Question) (Answered, error) {
	notes := receipt.From(ctx)
	if notes == nil {
		return n.next.ask(ctx, q)
	}
	began := time.Now()
	answered, err := n.next.ask(ctx, q)
	step := receipt.Step{Source: q.target.Source, Rows: rowsRead(q, answered), Took: time.Since(began), Shared: answered.joined}
	if q.stream != nil {
		root := q.query.Root()
		statement, _ := sqlgen.Render(root, n.dialect)
		step.Dataset, step.SQL = root.Ref(0).Dataset(), statement.Text
	} else {
		step.SQL = q.statement.Text()
	}
	notes.Add(step)
	return answered, err
}
