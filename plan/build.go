package plan

import (
	"maps"
	"slices"
	"strings"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/principal"
	"usher/query"
	"usher/slot"
	"usher/value"
)

// Build makes the plan of a request: the only way to a Query. Now is the
// instant of the operation. The error is a *fault.Error the caller may see.
func Build(r query.Request, cat *catalog.Catalog, p principal.Principal, now time.Time) (Query, error) {
	return Prepare(r, cat, principal.Slotted{Principal: p}, now, nil)
}

// Prepare makes the plan of a request for all who are alike: what it leaves open of
// the request, of who asks and of the time comes later; what it was made by are the
// guards of the slots. Later is the term of Now, or nil.
func Prepare(r query.Request, cat *catalog.Catalog, who principal.Slotted, now time.Time, later *slot.Term) (Query, error) {
	b, err := newBuilder(cat, who, now)
	if err != nil {
		return Query{}, err
	}
	b.later = later
	return b.build(r)
}

// build resolves a request.
func (b *builder) build(r query.Request) (Query, error) {
	vis := b.view.Dataset(r.Dataset)
	if vis == nil {
		return Query{}, fault.New(fault.NotFound, "there is no dataset %q", r.Dataset)
	}
	b.path = []string{r.Field.Key}
	var root Level
	var err error
	switch r.Shape {
	case query.Many:
		root, err = b.many(vis, r.Field, nil)
	case query.ByKey:
		root, err = b.byKey(vis, r.Field)
	case query.Groups:
		root, err = b.groups(vis, r.Field, nil)
	case query.Connection:
		root, err = b.connection(vis, r.Field)
	default:
		err = fault.New(fault.Internal, "a request without a shape")
	}
	if err == nil {
		err = b.reached()
	}
	if err != nil {
		return Query{}, err
	}
	return Query{&body{
		root:      root,
		shape:     r.Shape,
		strategy:  b.reachedBy(),
		identity:  b.identity(),
		overrides: b.overrides(),
		moment:    b.moment,
		fresh:     b.fresh,
		datasets:  b.datasets,
		own:       b.tenanted,

		open:       b.who.Tenant != nil,
		parameters: b.singles(),
	}}, nil
}

// builder holds what all levels of one plan share.
type builder struct {
	cat        *catalog.Catalog
	view       *catalog.View
	p          principal.Principal
	who        principal.Slotted            // what of it is left open
	strategy   *catalog.Strategy            // the usual one
	strategies map[string]*catalog.Strategy // those of single datasets, by dataset
	parameters map[string][]value.Value
	lists      map[string]query.SlotList // parameters that come later as one
	zone       string
	now        time.Time
	later      *slot.Term        // now as it comes later; nil: it does not
	moment     bool              // now has been looked at
	targets    map[string]Target // by source, as resolved so far
	fresh      time.Duration
	datasets   []string // that the plan reads
	by         []string // the strategies that they are reached by
	tenanted   bool     // some of them hold one tenant's rows
	literals   int      // that its conditions compare with, see maxLiterals
	path       []string // of the field that is planned, as response keys
	unsettled  bool     // what is planned depends on what a source has not said yet
	named      bool     // the tenant is one that a principal of all tenants has named
	export     bool     // rows have no bounds but those that are asked for
}

// reached refuses a plan that reads from a source that nobody has looked into:
// that its tables are what the file says, a tenant column among them, is not
// taken for granted. Nor is what such a source would say of rows that are read elsewhere.
func (b *builder) reached() error {
	if b.unsettled {
		return catalog.NotYet()
	}
	for name := range b.targets {
		if !b.cat.Unreached.Reached(name) {
			return catalog.NotYet()
		}
	}
	return nil
}

// newBuilder is how a principal is made ready to plan for, or refused.
func newBuilder(cat *catalog.Catalog, who principal.Slotted, now time.Time) (*builder, error) {
	b, err := fit(cat, who, now)
	return b, refused(notYet(cat, err, false))
}

// fit is newBuilder for those who answer for what does not fit themselves.
func fit(cat *catalog.Catalog, who principal.Slotted, now time.Time) (*builder, error) {
	p := who.Principal
	if (p.Tenant == "") != p.AllTenants {
		return nil, fault.New(fault.Unauthenticated, "the token names no tenant")
	}
	view, err := cat.View(p)
	if err != nil {
		return nil, grantFault("%v", err)
	}
	b := &builder{cat: cat, view: view, p: p, who: who, zone: "UTC", now: exactInstant(now)}
	if err := b.chooseStrategies(); err != nil {
		return nil, err
	}
	if err := b.checkAccounts(); err != nil {
		return nil, err
	}
	if p.Grant.Timezone != "" {
		if b.zone, err = zoneName(p.Grant.Timezone); err != nil {
			return nil, grantFault("%v", err)
		}
	}
	if err := b.checkGranted(); err != nil {
		return nil, err
	}
	if err := b.resolveParameters(); err != nil {
		return nil, err
	}
	return b, b.checkFilters(false)
}

// identity is who asks, as an upstream may be told. It stays open where who asks is.
func (b *builder) identity() Identity {
	if b.who.Tenant != nil {
		return Identity{}
	}
	id := BindingOf(b.p, nil).identity
	id.parameters = textsOf(b.singles(), nil)
	return id
}

// singles are the parameters of one value, for the templates of an API.
func (b *builder) singles() map[string]value.Value {
	var out map[string]value.Value
	for _, t := range b.targets {
		if t.Kind != catalog.API || out != nil {
			continue
		}
		out = make(map[string]value.Value)
		for name, values := range b.parameters {
			if !b.cat.Parameters[name].Type.List {
				out[name] = values[0]
			}
		}
	}
	return out
}

// written is a type as the configuration has it: a list of parameters holds no null.
func written(graphQL string) string {
	if list, ok := strings.CutSuffix(graphQL, "]"); ok {
		return strings.TrimSuffix(list, "!") + "!]"
	}
	return graphQL
}

// resolveParameters types the grant's parameters and adds the defaults.
func (b *builder) resolveParameters() error {
	b.parameters = make(map[string][]value.Value, len(b.cat.Parameters))
	for _, name := range slices.Sorted(maps.Keys(b.p.Grant.Parameters)) {
		if b.cat.Parameters[name] == nil {
			return grantFault("unknown parameter %q", name)
		}
	}
	for _, name := range b.p.Grant.Cleared {
		if b.cat.Parameters[name] == nil {
			return grantFault("unknown parameter %q", name)
		}
		if _, given := b.p.Grant.Parameters[name]; given {
			return grantFault("parameter %q is given and cleared", name)
		}
	}
	for name, param := range b.cat.Parameters {
		if slices.Contains(b.p.Grant.Cleared, name) {
			continue // its default does not apply either
		}
		given, ok := b.p.Grant.Parameters[name]
		if !ok {
			if param.Required || param.Default == nil {
				continue // refused where a filter uses it
			}
			given = param.Default
		}
		if later, ok := given.(query.SlotList); ok && param.Type.List {
			list, err := parameterLater(param.Type, later)
			if err != nil {
				return grantFault("parameter %q: %v", name, err)
			}
			if list != nil {
				if b.lists == nil {
					b.lists = make(map[string]query.SlotList)
				}
				b.lists[name] = *list
				continue
			}
		}
		if later, ok := given.(query.SlotList); ok {
			given = query.Look(later)
		}
		list, isList := given.(query.List)
		if isList != param.Type.List {
			return grantFault("parameter %q must be of type %s", name, written(param.Type.GraphQL()))
		}
		if !isList {
			list = query.List{given}
		}
		values := make([]value.Value, 0, len(list))
		for _, item := range list {
			v, err := typed(param.Type.Elem(), item)
			if err != nil {
				return grantFault("parameter %q: %v", name, err)
			}
			values = append(values, v)
		}
		b.parameters[name] = values
	}
	return nil
}

// maxGranted bounds the filters and parameters of one grant: they are resolved
// for each field of an operation, and in each reference to their dataset.
const maxGranted = 10_000

func (b *builder) checkGranted() error {
	values := 0
	for _, f := range b.p.Grant.Filters {
		values += members(f.Where) + members(f.Having)
	}
	for _, v := range b.p.Grant.Parameters {
		values += members(v)
	}
	if values > maxGranted {
		return grantFault("its filters and parameters have more than %d values and conditions", maxGranted)
	}
	return nil
}

// members counts the items of lists and members of objects in a value.
func members(v query.Value) int {
	n := 0
	switch v := v.(type) {
	case query.List:
		for _, item := range v {
			n += 1 + members(item)
		}
	case query.Object:
		for _, m := range v {
			n += 1 + members(m.Value)
		}
	}
	return n
}

// checkFilters resolves every filter of the grant, also those of datasets the
// request does not touch: a token is refused as a whole. Strict refuses a
// filter on what cannot be reached at all, too.
func (b *builder) checkFilters(strict bool) error {
	if len(b.p.Grant.Filters) == 0 {
		return nil
	}
	targets, unsettled := b.targets, b.unsettled
	b.targets = maps.Clone(targets)
	defer func() { b.targets, b.unsettled = targets, unsettled }() // what is only judged is not read
	for _, f := range b.p.Grant.Filters {
		d := b.cat.Dataset(f.Dataset)
		switch {
		case d == nil && !strict && b.cat.Unreached.LeftOut(f.Dataset):
			continue // nobody is shown it for now
		case d == nil:
			return unknownFilter(f)
		}
		lb := b.level()
		ref, err := lb.root(d)
		if err != nil && strict {
			return filterFault(f, err)
		} else if err != nil {
			continue // the dataset cannot be reached by this strategy at all
		}
		if f.Where == nil && f.Having == nil {
			return grantFault("the filter on %q allows everything", f.Dataset)
		}
		if f.Where != nil {
			e, err := lb.where(whereAt{ref: ref, inside: ref, policy: true}, d, f.Where)
			if err := restricts(f, e, err); err != nil {
				return err
			}
		}
		if f.Having != nil {
			e, err := lb.granted(d).having(f.Having, 0)
			if err := restricts(f, e, err); err != nil {
				return err
			}
		}
	}
	if strict && b.unsettled {
		return catalog.NotYet()
	}
	return nil
}

// restricts refuses a condition of a filter that cannot be read or that
// everything satisfies.
func restricts(f principal.Filter, e Expr, err error) error {
	switch {
	case err != nil:
		return filterFault(f, err)
	case e.op == True:
		return grantFault("the filter on %q allows everything", f.Dataset)
	}
	return nil
}

func unknownFilter(f principal.Filter) error {
	return grantFault("a filter names the unknown dataset %q", f.Dataset)
}

func filterFault(f principal.Filter, err error) error {
	return grantFault("the filter on %q: %s", f.Dataset, fault.From(err).Message)
}

// reads notes that the plan reads a dataset.
func (b *builder) reads(d *catalog.Dataset) {
	if len(b.datasets) == 0 || d.Cache < b.fresh {
		b.fresh = d.Cache
	}
	b.tenanted = b.tenanted || !d.Common && !b.p.AllTenants
	if by := b.strategyOf(d).Name; !d.Common && !slices.Contains(b.by, by) {
		b.by = append(b.by, by)
	}
	if !slices.Contains(b.datasets, d.Name) {
		b.datasets = append(b.datasets, d.Name)
	}
}

// confine says what keeps a reference to the principal's rows, and whether the
// tenant predicate must stand in its scope. It fails rather than leave a
// reference without a reason.
func (b *builder) confine(d *catalog.Dataset, t Target, binding *catalog.Binding) (ScopeKind, bool, error) {
	if d.Common {
		return IsCommon, false, nil
	}
	api := t.Kind == catalog.API
	isolated := api && b.cat.Sources[t.Source].API.Isolation == catalog.ByUpstream
	if b.p.AllTenants {
		if b.cat.Sources[t.Source].Template || isolated {
			return 0, false, fault.New(fault.Forbidden, "the strategy %q keeps tenants apart; ask as one tenant", b.strategyOf(d).Name)
		}
		return IsAllTenants, false, nil
	}
	column, known := d.Parent == nil, b.saysWhose(d, binding, t.Source)
	if api && !isolated && !column {
		return 0, false, fault.New(fault.Forbidden, "%s cannot be reached by the strategy %q", b.nameOf(d), b.strategyOf(d).Name)
	}
	switch {
	case isolated:
		return ByUpstream, column && known, nil
	case b.isOwn(d, binding) && (!column || !known): // the catalog has seen to it that nothing else is read from there
		return ByOwnSource, false, nil
	case known && column:
		return ByTenantColumn, true, nil
	case known:
		return ByParent, false, nil
	case b.cat.Sources[t.Source].Template:
		return ByOwnSource, false, nil
	}
	return 0, false, fault.New(fault.Forbidden, "nothing says whose the %s are where the strategy %q looks for it", b.rowsNamed(d), b.strategyOf(d).Name)
}

// saysWhose tells whether the tenant column is there that says whose rows a
// binding has: its own, or that of the rows at the end of the parents, where the
// source itself has them. Where another strategy leads to the parents, they say
// nothing of rows here.
func (b *builder) saysWhose(d *catalog.Dataset, binding *catalog.Binding, source string) bool {
	end := d.Ancestor()
	if end != d {
		at := ""
		if at, binding = b.place(end); at != source {
			binding = end.Bindings[source]
		}
	}
	return binding != nil && !binding.Columns[end.Tenant.Name].Missing
}
