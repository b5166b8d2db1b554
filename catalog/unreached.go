package catalog

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"usher/fault"
)

// Unreached are the sources that nobody could look into yet, and what is not
// known because of that. Everything else is served; what is read from such a
// source is refused for now, whatever the file says of it, since nobody has
// seen that its tables are so.
type Unreached struct {
	sources map[string]bool
	left    map[string]bool    // datasets that the file says too little of: they are not in the catalog
	unfit   map[string]Problem // those of them whose sources were reached late, and hold something else
	misfits map[string]bool    // of names, those of what does not fit
	names   map[string]bool    // of datasets of such sources, and of relations that lead to them
	camel   bool               // names become those above only when they are compiled
}

// Reached tells whether a source has been looked into, as far as it can be.
func (u Unreached) Reached(source string) bool { return !u.sources[source] }

// Pending are the sources that nobody could look into yet, for those who run usher.
func (u Unreached) Pending() []string { return slices.Sorted(maps.Keys(u.sources)) }

// Incomplete tells whether datasets are left out that the file has.
func (u Unreached) Incomplete() bool { return len(u.left) > 0 }

// Concerns tells whether a name is that of a dataset of which not all is known,
// or of a relation to one.
func (u Unreached) Concerns(name string) bool { return u.names[name] }

// Unfit are the datasets that a source which was reached late holds otherwise than the file
// says, and why. They alone are not served.
func (u Unreached) Unfit() map[string]Problem { return u.unfit }

// Refusal is what is said of a name of which not all is known.
func (u Unreached) Refusal(name string) *fault.Error {
	if u.misfits[name] {
		return misfit()
	}
	return NotYet()
}

// Unknown is what is said of something that is not in the catalog, and may be left out.
func (u Unreached) Unknown() *fault.Error {
	if len(u.sources) == 0 {
		return misfit()
	}
	return NotYet()
}

// misfit refuses what waiting does not mend.
func misfit() *fault.Error {
	return fault.New(fault.Unavailable, "a dataset of this does not fit what its source holds").
		WithHint("Tell an administrator: usher's log and /health/ready on its admin_listen say what differs. It is looked at again when that is mended.")
}

// unreachedRetry is what callers are told to wait.
const unreachedRetry = 5 * time.Second

// NotYet refuses what cannot be judged, or answered, before every source has
// been looked into.
func NotYet() *fault.Error {
	f := fault.New(fault.Unavailable, "a source of this has not been reached since usher started").WithHint("Try again in a moment.")
	f.RetryAfter = unreachedRetry
	return f
}

// CompileReached is Compile while some sources could not be looked into. Of
// their datasets those are left out that do not compile without, with whatever
// names them: relations, rights, tenants' own tables. Leaving out never shows
// more: a role keeps its name and has less, and what is read from such a source
// is refused anyway. Problems of other datasets are reported as ever. Of sources that were
// reached late, when others are served already, the datasets are left out that do not fit.
func CompileReached(spec Spec, tables Introspected, silent, late []string) (*Catalog, []Problem) {
	u := Unreached{
		sources: make(map[string]bool), left: make(map[string]bool), names: make(map[string]bool),
		unfit: make(map[string]Problem), misfits: make(map[string]bool),
	}
	for _, name := range silent {
		u.sources[name] = true
	}
	named := spec // as problems speak of it
	if u.camel = spec.Naming == CamelNames; u.camel {
		named = new(compiler).inCamel(spec)
	}
	waiting := waitingFor(named, u.sources)
	arrived := make(map[string]bool)
	for _, name := range late {
		arrived[name] = !u.sources[name]
	}
	judged := waitingFor(named, arrived)
	for {
		cat, problems := compile(u.without(spec), tables, u.Incomplete())
		if cat != nil || len(silent)+len(late) == 0 {
			if cat != nil {
				u.name(named, waiting)
				cat.Unreached = u
			}
			return cat, problems
		}
		more := false
		for _, p := range problems {
			d := datasetOf(p)
			if d != "" && !p.Note && !u.left[d] && (waiting[d] || judged[d] || u.leadsToLeft(named.Datasets[d])) {
				u.left[d], more = true, true
				if !waiting[d] && !u.leadsToSilent(named.Datasets[d]) {
					u.unfit[d] = p
				}
			}
		}
		if !more {
			return nil, problems
		}
	}
}

// datasetOf is the dataset that a problem is about, if it is about one.
func datasetOf(p Problem) string {
	switch {
	case len(p.Path) > 1 && p.Path[0] == "datasets":
		return p.Path[1]
	case len(p.Path) > 3 && (p.Path[0] == "roles" && p.Path[2] == "datasets" || p.Path[0] == "tenants" && p.Path[2] == "bind"):
		return p.Path[3]
	}
	return ""
}

// leadsToSilent tells whether a dataset lacks a relation because a source is silent.
func (u Unreached) leadsToSilent(d DatasetSpec) bool {
	return slices.ContainsFunc(d.Relations, func(r Entry[RelationSpec]) bool {
		return slices.ContainsFunc([]string{r.Value.To, r.Value.Through}, func(to string) bool {
			_, unfit := u.unfit[to]
			return u.left[to] && !unfit
		})
	})
}

// waitingFor are the datasets of which a part may be in one of some sources.
func waitingFor(spec Spec, sources map[string]bool) map[string]bool {
	out := make(map[string]bool)
	for name, d := range spec.Datasets {
		switch {
		case d.Source != "":
			out[name] = sources[d.Source]
		default:
			for _, s := range spec.Strategies {
				source, named := s.Datasets[name]
				out[name] = out[name] || sources[source] || !named && sources[s.Source]
			}
		}
		for source, b := range d.Bind {
			out[name] = out[name] || sources[cmp.Or(b.Source, source)]
		}
	}
	for _, t := range spec.Tenants {
		for name, own := range t.Bind {
			out[name] = out[name] || sources[own.Source]
		}
	}
	return out
}

// leadsToLeft tells whether a dataset has had a relation to one that is left out: its
// filter or its measures may have followed it.
func (u Unreached) leadsToLeft(d DatasetSpec) bool {
	return slices.ContainsFunc(d.Relations, u.cut)
}

// cut tells whether a relation needs a dataset that is left out.
func (u Unreached) cut(r Entry[RelationSpec]) bool {
	return u.isLeft(r.Value.To) || u.isLeft(r.Value.Through)
}

func (u Unreached) isLeft(name string) bool { return u.left[name] || u.camel && u.left[Camel(name)] }

// without is the spec without what is left out.
func (u Unreached) without(spec Spec) Spec {
	if len(u.left) == 0 {
		return spec
	}
	all := spec.Datasets
	spec.Datasets = make(map[string]DatasetSpec, len(all))
	for name, d := range all {
		if !u.isLeft(name) {
			d.Relations = slices.DeleteFunc(slices.Clone(d.Relations), u.cut)
			spec.Datasets[name] = d
		}
	}
	roles := spec.Roles
	spec.Roles = make(map[string]RoleSpec, len(roles))
	for name, r := range roles {
		r.Datasets = remaining(r.Datasets, u.isLeft)
		spec.Roles[name] = r
	}
	tenants := spec.Tenants
	spec.Tenants = make(map[string]TenantSpec, len(tenants))
	for name, t := range tenants {
		t.Bind, t.Strategies, t.Bindings = remaining(t.Bind, u.isLeft), remaining(t.Strategies, u.isLeft), remaining(t.Bindings, u.isLeft)
		spec.Tenants[name] = t
	}
	strategies := spec.Strategies
	spec.Strategies = make(map[string]StrategySpec, len(strategies))
	for name, s := range strategies {
		s.Datasets = remaining(s.Datasets, u.isLeft)
		spec.Strategies[name] = s
	}
	return spec
}

func remaining[V any](m map[string]V, left func(string) bool) map[string]V {
	m = maps.Clone(m)
	maps.DeleteFunc(m, func(name string, _ V) bool { return left(name) })
	return m
}

// name notes the names by which others speak of what is not known wholly.
func (u Unreached) name(spec Spec, waiting map[string]bool) {
	for name, d := range spec.Datasets {
		_, bad := u.unfit[name]
		if waiting[name] || u.left[name] {
			u.names[name], u.misfits[name] = true, bad
		}
		for _, r := range d.Relations {
			if waiting[r.Value.To] || u.left[r.Value.To] || u.left[r.Value.Through] {
				_, bad := u.unfit[r.Value.To]
				u.names[r.Name], u.misfits[r.Name] = true, bad
			}
		}
	}
}
