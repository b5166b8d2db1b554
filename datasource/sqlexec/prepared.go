package sqlexec

import (
	"context"
	"strings"

	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// Prepared is a query with the statements of all its levels.
type Prepared struct {
	query plan.Query
	root  *rendered
}

// rendered is the statement of a level, and those of the levels below it.
type rendered struct {
	sqlgen.Statement
	children []*rendered
	total    *rendered
}

// Prepare renders every level of a query.
func Prepare(q plan.Query, d sqlgen.Dialect) (Prepared, error) {
	if !q.Valid() {
		return Prepared{}, fault.New(fault.Internal, "internal error").Because(sqlgen.ErrNotPlanned)
	}
	root, err := render(q.Root(), d)
	return Prepared{query: q, root: root}, err
}

func render(l plan.Level, d sqlgen.Dialect) (*rendered, error) {
	statement, err := sqlgen.Render(l, d)
	if err != nil {
		return nil, err
	}
	r := &rendered{Statement: statement}
	for i := range l.Children() {
		child, err := render(l.Child(i), d)
		if err != nil {
			return nil, err
		}
		r.children = append(r.children, child)
	}
	if total, ok := l.Total(); ok {
		if r.total, err = render(total, d); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Key is the same for queries that run the same statements with the same
// arguments: within one account their answers are the same too.
func (p Prepared) Key() string {
	var b strings.Builder
	p.root.key(&b)
	return b.String()
}

func (r *rendered) key(b *strings.Builder) {
	b.WriteString(r.Text)
	for _, arg := range r.Args {
		b.WriteByte(0) // no argument holds one: package value refuses it
		b.WriteString(arg)
	}
	b.WriteByte(1)
	for _, child := range r.children {
		child.key(b)
	}
	if r.total != nil {
		b.WriteByte(2)
		r.total.key(b)
	}
}

// Run answers all levels on one session.
func (p Prepared) Run(ctx context.Context, s Session, d sqlgen.Dialect) (*value.Result, error) {
	return Run{Session: s, Dialect: d}.level(ctx, p.query.Root(), nil, p.root)
}
