package drift

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
)

// Reads are the references of a level and all below it that read a tenant's
// own tables, or files: any may be others than those that the catalog was made of.
func Reads(l plan.Level) []plan.Ref {
	var out []plan.Ref
	for i := range l.Refs() {
		if r := l.Ref(i); r.Target().Kind == catalog.DuckDB || r.Target().Account().Own || r.Own() != "" {
			out = append(out, r)
		}
	}
	for i := range l.Children() {
		out = append(out, Reads(l.Child(i))...)
	}
	if total, ok := l.Total(); ok {
		out = append(out, Reads(total)...)
	}
	return out
}

// Check refuses what reads something that differs.
func (t *Tables) Check(ctx context.Context, refs []plan.Ref) error {
	for _, r := range refs {
		if err := t.ref(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tables) ref(ctx context.Context, r plan.Ref) error {
	known, err := t.schema(ctx, r.Schema())
	if err != nil {
		return err
	}
	drift, ok := known.drifts[tableKey{r.Dataset(), r.Own()}]
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
		return refusal.Because(fmt.Errorf("%s of %s: there is no table %s.%s that the account may read", r.Dataset(), t.placeOf(r), r.Schema(), r.Table()))
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
		causes = append(causes, fmt.Errorf("%s.%s of %s: %s", r.Dataset(), f.Name, t.placeOf(r), how))
	}
	if d := t.Catalog.Dataset(r.Dataset()); d != nil && d.Tenant != nil && drift.Columns[d.Tenant.Name] != "" { // nobody reads rows of which it is not known whose they are
		causes = append(causes, fmt.Errorf("the tenant column of %s of %s: %s", r.Dataset(), t.placeOf(r), drift.Columns[d.Tenant.Name]))
	}
	if _, relies := r.Alone(); relies && len(drift.Shared) > 0 {
		return fault.New(fault.Unavailable, "whose rows these are cannot be told: the key is gone by which they lead to one row").
			WithHint("Tell an administrator, who can see with `usher check` which key it is.").
			Because(fmt.Errorf("%s of %s has no unique key by which rows of %s are a tenant's", r.Dataset(), t.placeOf(r), strings.Join(drift.Shared, ", ")))
	}
	if causes == nil {
		return nil
	}
	return refusal.Because(errors.Join(causes...))
}

// placeOf is where a reference reads, for the log: the cell, too, where there are several.
func (t *Tables) placeOf(r plan.Ref) string {
	account := r.Target().Account()
	if source := t.Catalog.Sources[r.Target().Source]; source != nil {
		if cell := source.Postgres.CellAt(account.Host, account.Port, account.Database); cell != "" {
			return fmt.Sprintf("%s in the cell %s", r.Target(), cell)
		}
	}
	return r.Target().String()
}
