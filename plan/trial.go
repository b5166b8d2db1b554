package plan

import (
	"errors"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/principal"
	"usher/query"
)

// Trial is a look at a tenant's rows of one dataset, where its record leads: one
// row with every column that should be there, confined as any other. What it
// returns is for nobody; it tells whether it can be read, and so it is made of sources
// that have not been looked into, too.
type Trial struct {
	dataset *catalog.Dataset
	binding *catalog.Binding
	source  string
	own     bool
	query   Query
	err     error
}

// Trials are one trial for each dataset that the record of a tenant leads to. The
// error is for whoever administers the tenant: the record fits nothing.
func Trials(cat *catalog.Catalog, record principal.Principal) ([]Trial, error) {
	if record.AllTenants {
		return nil, fault.New(fault.BadUserInput, "one tenant's accounts are tried at a time")
	}
	b, err := fit(cat, principal.Slotted{Principal: record}, time.Time{})
	if err != nil {
		return nil, unusable(err, true)
	}
	var out []Trial
	for _, d := range cat.Datasets {
		if source, binding := b.place(d); !d.Common && (binding != nil || b.astray(d)) {
			out = append(out, b.trial(d, source, binding))
		}
	}
	return out, nil
}

func (b *builder) trial(d *catalog.Dataset, source string, binding *catalog.Binding) Trial {
	t := Trial{dataset: d, binding: binding, source: source}
	if binding == nil { // the record is wrong, and this is where the rows would be without it
		t.source = b.strategyOf(d).SourceOf(d.Name)
	}
	t.own = binding == nil || len(b.own(source)) > 0 || b.cat.Sources[source].Template || b.ownOf(d) != nil
	lb := b.level()
	if _, t.err = lb.root(d); t.err != nil {
		return t
	}
	for _, col := range d.Columns {
		if !binding.Columns[col.Name].Missing && b.only(col.Only) {
			lb.cell(lb.read(0, col))
		}
	}
	lb.l.limit, t.err = 1, lb.failed
	whole := Query{&body{root: lb.l, shape: query.Many, strategy: b.strategyOf(d).Name, identity: b.identity(), overrides: b.overrides()}}
	t.query = whole.Fetches(lb.l, 0)[0].Query()
	return t
}

// Dataset is the name of the dataset.
func (t Trial) Dataset() string { return t.dataset.Name }

// Source is where its rows are.
func (t Trial) Source() string { return t.source }

// Binding is how they are there; nil: the record leads nowhere.
func (t Trial) Binding() *catalog.Binding { return t.binding }

// Own tells whether the tenant has an account, a database or a table of its own
// there. If not, what is wrong is wrong for others too.
func (t Trial) Own() bool { return t.own }

// Drift compares tables of the trial's schema with what the dataset promises.
func (t Trial) Drift(tables []catalog.Table) catalog.Drift { return t.dataset.Drift(t.binding, tables) }

// Query is what is asked; the error says why the record leads nowhere.
func (t Trial) Query() (Query, error) {
	var u unfit
	if errors.As(t.err, &u) {
		return Query{}, fault.New(fault.Forbidden, "%s", u.text)
	}
	return t.query, t.err
}
