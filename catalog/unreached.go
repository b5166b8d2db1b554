package catalog

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"usher/fault"
)

// Unreached are the sources that nobody could look into yet, and what is not
// known because of that. Everything else is served; what is read from such a
// source is refused for now, whatever the file says of it, since nobody has
// seen that its tables are so.
type Unreached struct {
	sources map[string]bool
	left    map[string]bool     // datasets that the file says too little of: they are not in the catalog
	waits   map[string]Problem  // those of them that are served when a source is reached, and what the file leaves to it
	unfit   map[string]Problem  // those of them whose sources were reached late, and hold something else
	misfits map[string]bool     // of names, those of what does not fit
	places  map[string]places   // where those that are left out may be
	names   map[string][]string // of datasets of such sources and their types, and of relations that lead to them; which sources they are
	camel   bool                // names become those above only when they are compiled
}

// Reached tells whether a source has been looked into, as far as it can be.
func (u Unreached) Reached(source string) bool { return !u.sources[source] }

// Pending are the sources that nobody could look into yet, for those who run usher.
func (u Unreached) Pending() []string { return slices.Sorted(maps.Keys(u.sources)) }

// Incomplete tells whether datasets are left out that the file has.
func (u Unreached) Incomplete() bool { return len(u.left) > 0 }

// Concerns tells whether a name is that of a dataset of which not all is known,
// or of a relation to one.
func (u Unreached) Concerns(name string) bool { _, ok := u.names[name]; return ok }

// LeftOut tells whether a dataset is one that the file has and the catalog has not. What
// restricts it restricts nothing, for nobody is shown it.
func (u Unreached) LeftOut(name string) bool { return u.left[name] }

// Awaits is what is said instead of a refusal while a text speaks of what is not known: what
// only a source can say that has not been reached, or a dataset that does not fit. nil: it speaks of nothing
// such. The text is not parsed, so a word in a string counts too.
func (u Unreached) Awaits(text string) *fault.Error {
	if name := u.concerned(text); name != "" {
		return u.refusal(name)
	}
	return nil
}

// AwaitsDataset is what is said instead of that there is no such dataset; nil: the file has none of that name either.
func (u Unreached) AwaitsDataset(name string) *fault.Error {
	if !u.LeftOut(name) {
		return nil
	}
	return u.Awaits(name)
}

// AwaitsOf is Awaits for those who may know the names of sources.
func (u Unreached) AwaitsOf(text string) *fault.Error {
	switch name := u.concerned(text); {
	case name == "":
		return nil
	case u.misfits[name]:
		return misfit()
	default:
		return NotYet(u.names[name]...)
	}
}

// concerned is the first name of a text of which not all is known, or empty.
func (u Unreached) concerned(text string) string {
	if len(u.names) == 0 {
		return ""
	}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		for _, prefix := range []string{"", "insert", "update", "delete"} { // with the type's name
			rest, ok := strings.CutPrefix(word, prefix)
			for _, suffix := range []string{"", "One", "ByPk", "Connection", "Aggregate"} {
				if name, is := strings.CutSuffix(rest, suffix); ok && is && u.Concerns(name) {
					return name
				}
			}
		}
	}
	return ""
}

// Unfit are the datasets that a source which was reached late holds otherwise than the file
// says, and why. They alone are not served.
func (u Unreached) Unfit() map[string]Problem { return u.unfit }

// Waits are the datasets that are left out until a source is reached, and what the file leaves to that.
func (u Unreached) Waits() map[string]Problem { return u.waits }

// refusal is what is said of a name of which not all is known.
func (u Unreached) refusal(name string) *fault.Error {
	if u.misfits[name] {
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

// NotYet refuses what cannot be judged, or answered, before a source has
// been looked into. Sources are named for those who may know their names.
func NotYet(sources ...string) *fault.Error {
	what, look := "a source of this has", "say which source it is"
	if len(sources) > 0 {
		what, look = fmt.Sprintf("the source %s has", sources[0]), "say why"
		if len(sources) > 1 {
			what = fmt.Sprintf("the sources %s have", strings.Join(sources, ", "))
		}
	}
	f := fault.New(fault.Unavailable, "%s not been reached since this configuration is served", what).
		WithHint("Try again in a moment. Where that does not help, usher's log and /health/ready on its admin_listen %s.", look)
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
		sources: make(map[string]bool), left: make(map[string]bool), names: make(map[string][]string),
		waits: make(map[string]Problem), unfit: make(map[string]Problem), misfits: make(map[string]bool),
	}
	for _, name := range silent {
		u.sources[name] = true
	}
	named := spec // as problems speak of it
	if u.camel = spec.Naming == CamelNames; u.camel {
		named = new(compiler).inCamel(spec)
	}
	waiting := sourcesOf(named, u.sources)
	arrived := make(map[string]bool)
	for _, name := range late {
		arrived[name] = !u.sources[name]
	}
	judged := sourcesOf(named, arrived)
	for {
		cat, problems := compile(u.without(spec), tables, u.sources, u.Incomplete())
		if cat != nil || len(silent)+len(late) == 0 {
			if cat != nil {
				u.name(named, waiting)
				u.places = placesOf(named, u.left)
				cat.Unreached = u
			}
			return cat, problems
		}
		more := false
		for _, p := range problems {
			d := datasetOf(p)
			seen := p.misfits != "" // and no silent source says otherwise
			if d != "" && !p.Note && !u.left[d] && (!seen || arrived[p.misfits]) && (len(waiting[d])+len(judged[d]) > 0 || u.leadsToLeft(named.Datasets[d])) {
				p = u.because(named.Datasets[d], d, p)
				u.left[d], more = true, true
				if seen || len(waiting[d]) == 0 && !u.leadsToSilent(named.Datasets[d]) {
					u.unfit[d] = p
				} else {
					u.waits[d] = p
				}
			}
		}
		if !more {
			return nil, problems
		}
	}
}

// because is why a dataset is left out: where relations are gone from it, since they lead to others that are left out,
// that is why, and not that it names what is not there.
func (u Unreached) because(d DatasetSpec, name string, p Problem) Problem {
	for _, r := range d.Relations {
		to := r.Value.To
		if !u.isLeft(to) {
			to = r.Value.Through
		}
		if !u.isLeft(to) {
			continue
		}
		why := "waits for a source"
		if _, unfit := u.unfit[to]; unfit {
			why = "does not fit its source"
		}
		return Problem{Path: []string{"datasets", name, "relations", r.Name}, Message: fmt.Sprintf("it leads to %s, which %s", to, why), misfits: p.misfits}
	}
	return p
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

// sourcesOf are, of some sources, those that a part of each dataset may be in.
func sourcesOf(spec Spec, some map[string]bool) map[string][]string {
	out := make(map[string][]string)
	for name := range spec.Datasets {
		var in []string
		for _, source := range placesFor(spec, name).all() {
			if some[source] {
				in = append(in, source)
			}
		}
		if in != nil {
			out[name] = in
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
func (u Unreached) name(spec Spec, waiting map[string][]string) {
	note := func(name, dataset string) {
		_, bad := u.unfit[dataset]
		in := append(u.names[name], waiting[dataset]...)
		slices.Sort(in)
		u.names[name], u.misfits[name] = slices.Compact(in), bad
	}
	for name, d := range spec.Datasets {
		if waiting[name] != nil || u.left[name] {
			note(name, name)
			note(cmp.Or(d.Type, pascal(name)), name)
		}
		for _, r := range d.Relations {
			if waiting[r.Value.To] != nil || u.left[r.Value.To] || u.left[r.Value.Through] {
				note(r.Name, r.Value.To)
				if r.Value.Through != "" {
					note(r.Name, r.Value.Through)
				}
			}
		}
	}
}
