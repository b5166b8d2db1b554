package catalog

import (
	"cmp"
	"maps"
	"slices"

	"usher/principal"
)

// places are the sources that a dataset's rows may be read from.
type places struct {
	fixed string            // whatever the strategy
	by    map[string]string // by strategy, where none is fixed
	binds map[string]string // by the name of a binding that records may choose
	own   []string          // of tenants of the file
}

func placesFor(spec Spec, dataset string) places {
	d := spec.Datasets[dataset]
	p := places{fixed: d.Source, by: make(map[string]string), binds: make(map[string]string)}
	if d.Source == "" {
		for name, s := range spec.Strategies {
			p.by[name] = cmp.Or(s.Datasets[dataset], s.Source)
		}
	}
	for name, b := range d.Bind {
		p.binds[name] = cmp.Or(b.Source, name)
	}
	for _, t := range spec.Tenants {
		if own, ok := t.Bind[dataset]; ok {
			p.own = append(p.own, own.Source)
		}
	}
	return p
}

func placesOf(spec Spec, datasets map[string]bool) map[string]places {
	out := make(map[string]places, len(datasets))
	for name := range datasets {
		out[name] = placesFor(spec, name)
	}
	return out
}

// all are these sources, each once.
func (p places) all() []string {
	all := slices.Concat([]string{p.fixed}, slices.Collect(maps.Values(p.by)), slices.Collect(maps.Values(p.binds)), p.own)
	slices.Sort(all)
	return slices.Compact(all)
}

// Unplaced refuses to judge where the rows of a tenant are while what it has of its own leads to a
// source that nobody has looked into: an account, a binding that its record names, or by its
// strategies a template or a cell. Everything else of it is where everybody is, whatever the
// sources hold. nil: nothing of it is unknown. Before a source that is reached later is served, all tenants
// are compared with each other again.
func (c *Catalog) Unplaced(r principal.Routing) error {
	if err := c.UnplacedAccounts(r.Accounts); err != nil {
		return err
	}
	var waits []string
	for name, at := range c.Unreached.places {
		source, own := at.binds[r.Bindings[name]]
		if !own {
			source = cmp.Or(at.fixed, at.by[cmp.Or(r.Strategies[name], r.Strategy, c.DefaultStrategy)])
			own = c.placesEach(source, r)
		}
		if own && c.Unreached.sources[source] {
			waits = append(waits, source)
		}
	}
	if waits == nil {
		return nil
	}
	slices.Sort(waits)
	return NotYet(slices.Compact(waits)...)
}

// placesEach tells whether a source has a place of its own for a tenant that has no account of it.
func (c *Catalog) placesEach(source string, r principal.Routing) bool {
	s := c.Sources[source]
	return s != nil && (s.Template || r.Cell != "" && len(s.Postgres.Cells) > 0)
}

// UnplacedAccounts refuses to judge accounts of sources that nobody has looked into, or from which nothing
// is read but what is left out. It names the sources of the accounts, which whoever says the accounts knows.
func (c *Catalog) UnplacedAccounts(accounts map[string]principal.Account) error {
	u := c.Unreached
	for _, source := range slices.Sorted(maps.Keys(accounts)) {
		if !u.Reached(source) {
			return NotYet(source)
		}
		if slices.ContainsFunc(c.Datasets, func(d *Dataset) bool { return d.Bindings[source] != nil }) {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(u.places)) {
			if slices.Contains(u.places[name].all(), source) {
				return u.refusal(name)
			}
		}
	}
	return nil
}
