package datasource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"usher/catalog"
	"usher/datasource/postgres"
	"usher/fault"
	"usher/plan"
)

// checked asks, unless the tables that a question reads are known to differ. When
// it does not fit them, they are looked at again: they may have changed.
type checked struct {
	next
	shape *shape // nil: the tables are the source's
}

func (c *checked) ask(ctx context.Context, q *Question) (Answered, error) {
	if c.shape == nil {
		return c.next.ask(ctx, q)
	}
	if err := c.shape.check(ctx, q.reads); err != nil {
		return Answered{}, err
	}
	answered, err := c.next.ask(ctx, q)
	if errors.Is(err, postgres.ErrDrift) {
		c.shape.forget()
		err = cmp.Or(c.shape.check(ctx, q.reads), err)
	}
	return answered, err
}

// reads are the references of a level and all below it that read a tenant's
// own tables, or files: any may be others than those that the catalog was made of.
func reads(l plan.Level) []plan.Ref {
	var out []plan.Ref
	for i := range l.Refs() {
		if r := l.Ref(i); r.Target().Kind == catalog.DuckDB || r.Target().Account().Own || r.Own() != "" {
			out = append(out, r)
		}
	}
	for i := range l.Children() {
		out = append(out, reads(l.Child(i))...)
	}
	if total, ok := l.Total(); ok {
		out = append(out, reads(total)...)
	}
	return out
}

// check refuses what reads something that differs.
func (s *shape) check(ctx context.Context, refs []plan.Ref) error {
	for _, r := range refs {
		if err := s.ref(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *shape) ref(ctx context.Context, r plan.Ref) error {
	found, err := s.schema(ctx, r.Schema())
	if err != nil {
		return err
	}
	drift, ok := found.drifts[tableKey{r.Dataset(), r.Own()}]
	if !ok {
		return nil
	}
	where := "this tenant's database"
	if r.Target().Tenant == "" && r.Own() == "" && !r.Target().Account().Own {
		where = "its database"
	}
	name := r.Dataset()
	if !r.Shown() {
		name = "another dataset"
	}
	refusal := fault.New(fault.Unavailable, "%s is not what the catalog says in %s", name, where).
		WithHint("whoever runs that database has to bring its tables up to date")
	if drift.Missing {
		return refusal.Because(fmt.Errorf("%s of %s: there is no table %s.%s", r.Dataset(), s.placeOf(r), r.Schema(), r.Table()))
	}
	var causes []error
	for i := range r.Fields() {
		f := r.Field(i)
		how, differs := drift.Columns[f.Name]
		if !differs {
			continue
		}
		if f.Asked { // what the caller cannot see is for the log
			refusal.Message = fmt.Sprintf("%s.%s is not what the catalog says in %s: %s", r.Dataset(), f.Name, where, how)
		}
		causes = append(causes, fmt.Errorf("%s.%s of %s: %s", r.Dataset(), f.Name, s.placeOf(r), how))
	}
	if d := s.cat.Dataset(r.Dataset()); d != nil && d.Tenant != nil && drift.Columns[d.Tenant.Name] != "" { // nobody reads rows of which it is not known whose they are
		causes = append(causes, fmt.Errorf("the tenant column of %s of %s: %s", r.Dataset(), s.placeOf(r), drift.Columns[d.Tenant.Name]))
	}
	if _, relies := r.Alone(); relies && len(drift.Shared) > 0 {
		return fault.New(fault.Unavailable, "whose rows these are cannot be told: the key is gone by which they lead to one row").
			WithHint("Tell an administrator, who can see with `usher check` which key it is.").
			Because(fmt.Errorf("%s of %s has no unique key by which rows of %s are a tenant's", r.Dataset(), s.placeOf(r), strings.Join(drift.Shared, ", ")))
	}
	if causes == nil {
		return nil
	}
	return refusal.Because(errors.Join(causes...))
}

// placeOf is where a reference reads, for the log: the cell, too, where there are several.
func (s *shape) placeOf(r plan.Ref) string {
	account := r.Target().Account()
	if source := s.cat.Sources[r.Target().Source]; source != nil {
		if cell := source.Postgres.CellAt(account.Host, account.Port, account.Database); cell != "" {
			return fmt.Sprintf("%s in the cell %s", r.Target(), cell)
		}
	}
	return r.Target().String()
}
