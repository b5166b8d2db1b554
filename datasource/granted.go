package datasource

import (
	"context"
	"errors"

	"usher/catalog"
	"usher/datasource/grants"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/datasource/trouble"
	"usher/fault"
	"usher/plan"
)

// granted says of a question that the account may not ask what it lacks: a server says that a table may not
// be touched, and neither by whom nor what is missing. It is asked for that afterwards, for the log alone.
type granted struct {
	next
	db     sqlexec.Sessions
	cat    *catalog.Catalog
	target plan.Target
}

func (g *granted) ask(ctx context.Context, q *Question) (Answered, error) {
	answered, err := g.next.ask(ctx, q)
	if err == nil || g.target.Kind != catalog.Postgres || trouble.Of(err) != trouble.NotReadable { // nothing else has privileges
		return answered, err
	}
	names := q.datasets
	if q.query.Valid() {
		names = datasetsOf(nil, q.query)
	}
	source := g.cat.Sources[g.target.Source]
	var needs grants.Privileges
	for _, name := range names {
		d := g.cat.Dataset(name)
		if d == nil || d.Bindings[source.Name] == nil {
			continue
		}
		b := d.Bindings[source.Name]
		needs.Add(plan.SchemaOf(source, b, g.target), b.Table, "SELECT")
	}
	var lacks []error
	asked := g.db.Session(postgres.Fresh(ctx), false, func(s sqlexec.Session) (err error) {
		lacks, err = needs.Lacked(ctx, s)
		return err
	})
	if asked != nil || len(lacks) == 0 {
		return answered, err
	}
	return answered, fault.From(err).Because(errors.Join(err, errors.Join(lacks...)))
}
