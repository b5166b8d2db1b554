package datasource

import (
	"context"

	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
	"usher/trace"
)

// traced makes a span of a question, if its request is traced.
type traced struct {
	next
	step    string
	dialect sqlgen.Dialect // of fetches, which are written while they are asked; nil: of none
}

func (t *traced) ask(ctx context.Context, q *Question) (Answered, error) {
	ctx, span := trace.Ask(ctx, t.step, sourceOf(q.target))
	if !span.Recorded() {
		return t.next.ask(ctx, q)
	}
	defer span.End()
	answered, err := t.next.ask(ctx, q)
	switch {
	case !namesNobody(q.target, q.reads): // a tenant's own table has the tenant in its name, as often as not
	case q.stream == nil && q.prepared != nil:
		span.Statement(q.statement.Text())
	case q.stream != nil && t.dialect != nil:
		statement, _ := sqlgen.Render(q.query.Root(), t.dialect)
		span.Statement(statement.Text)
	}
	span.Rows(rowsRead(q, answered))
	if answered.joined {
		span.Shared()
	}
	failed(span, err)
	return answered, err
}

// sourceOf is what a span says of a target.
func sourceOf(t plan.Target) trace.Source {
	return trace.Source{Name: t.Source, System: string(t.Kind), Own: t.Tenant != ""}
}

// namesNobody tells that a statement has no name of a tenant's own.
func namesNobody(t plan.Target, reads []plan.Ref) bool {
	for _, r := range reads {
		if r.Own() != "" {
			return false
		}
	}
	return t.Tenant == ""
}

// failed tells a span of an error.
func failed(span *trace.Span, err error) {
	if err != nil && span.Recorded() {
		span.Failed(string(fault.From(err).Code))
	}
}
