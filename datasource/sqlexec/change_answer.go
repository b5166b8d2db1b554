package sqlexec

import (
	"context"

	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/query"
	"usher/sqlgen"
	"usher/value"
)

// answered reads the rows as they are asked for.
func (a *applying) answered(ctx context.Context) (Changed, error) {
	out := Changed{Affected: a.count}
	for i := range a.c.Answers() {
		r, err := a.answer(ctx, a.c.Answering(i))
		if err != nil {
			return out, err
		}
		out.Results = append(out.Results, r)
	}
	return out, nil
}

func (a *applying) answer(ctx context.Context, q plan.Query) (*value.Result, error) {
	return Run{Session: a.session, Dialect: a.d, Before: AsPlanned}.keyed(ctx, q, a.keys, a.count, &a.charge)
}

// Keyed answers a query for the rows that have keys, in the order of the keys where the query
// has none of its own.
func (r Run) Keyed(ctx context.Context, q plan.Query, keys [][]value.Value, count int) (*value.Result, error) {
	if !q.Valid() {
		return nil, fault.Broken("%w", sqlgen.ErrNotPlanned)
	}
	c := charge{share: held.From(ctx)}
	result, err := r.keyed(ctx, q, keys, count, &c)
	if err != nil {
		return nil, err
	}
	return result, c.settle(result)
}

func (r Run) keyed(ctx context.Context, q plan.Query, keys [][]value.Value, count int, c *charge) (*value.Result, error) {
	l := q.Root()
	here, err := r.Before(ctx, l, keys)
	if err != nil {
		return nil, err
	}
	statement, err := sqlgen.Keyed(here, r.Dialect)
	if err != nil {
		return nil, err
	}
	args := make([]string, 0, len(keys)+statement.Args.Len())
	for _, list := range keys {
		args = append(args, r.Dialect.KeyList(value.Values(list)))
	}
	rows, err := ask(ctx, r.Session, keyedAs(statement, count), statement.Text, append(args, statement.Args.Bind(nil)...))
	if err != nil {
		return nil, err
	}
	numbered, err := read(rows, First(l)+max(l.Columns(), 1), min(count, 1024), c)
	if err != nil {
		return nil, err
	}
	result := &value.Result{Rows: value.NewBuffer(max(l.Columns(), 1))}
	for i := range l.Children() {
		child, err := r.child(ctx, l, l.Child(i), numbered, c)
		if err != nil {
			return nil, err
		}
		result.Children = append(result.Children, child)
	}
	for i := range numbered.Len() { // the numbers of the keys were for the order
		for n := range result.Rows.Width() {
			result.Rows.Append(numbered.Row(i).Cell(n + 1))
		}
	}
	if q.Shape() == query.ByKey && result.Rows.Len() > 1 {
		return nil, SeveralRows(l.Ref(0).Dataset())
	}
	return result, nil
}
