package catalog

import (
	"fmt"
	"maps"
	"slices"
)

func (c *compiler) strategies() {
	for _, name := range slices.Sorted(maps.Keys(c.spec.Strategies)) {
		c.catalog.Strategies[name] = c.strategy(name, c.spec.Strategies[name], c.at("strategies", name))
	}
	c.catalog.DefaultStrategy = c.spec.DefaultStrategy
	if len(c.catalog.Strategies) == 1 && c.spec.DefaultStrategy == "" {
		for name := range c.catalog.Strategies {
			c.catalog.DefaultStrategy = name
		}
	}
	if c.spec.DefaultStrategy != "" && c.catalog.Strategies[c.spec.DefaultStrategy] == nil {
		c.at("default_strategy").problem("%s", unknown("strategy", c.spec.DefaultStrategy, c.catalog.Strategies))
	}
}

func (c *compiler) strategy(name string, spec StrategySpec, at place) *Strategy {
	if bad := badPlain(name); bad != "" {
		at.problem("%s", bad)
	}
	s := &Strategy{Name: name, Source: spec.Source, Datasets: maps.Clone(spec.Datasets)}
	if src := c.catalog.Sources[spec.Source]; src == nil {
		at.in("source").problem("%s", unknown("source", spec.Source, c.catalog.Sources))
	} else if s.Kind = src.strategyKind(); src.Kind != "" {
		checkStrategyKind(at, spec, s.Kind)
	}
	switch StrategyKind(spec.Kind) {
	case "", Shared, Database, Upstream:
	default:
		at.in("kind").problem("must be shared, database or api; left out, it follows from the source")
	}
	for _, dataset := range slices.Sorted(maps.Keys(spec.Datasets)) {
		at, source := at.in("datasets", dataset), spec.Datasets[dataset]
		if bad := c.unreachable(dataset); bad != "" {
			at.problem("%s", bad)
		}
		if c.catalog.Sources[source] == nil {
			at.problem("%s", unknown("source", source, c.catalog.Sources))
		}
	}
	return s
}

// strategyKind is how a source is reached: by what keeps tenants apart in it.
func (s *Source) strategyKind() StrategyKind {
	switch {
	case s.Kind == API:
		return Upstream
	case s.Template:
		return Database
	}
	return Shared
}

// checkStrategyKind compares the kind that somebody has written with the one
// that is.
func checkStrategyKind(at place, spec StrategySpec, is StrategyKind) {
	said := StrategyKind(spec.Kind)
	switch {
	case said == is || said == "":
	case (said == Shared || said == Database) && is == Upstream:
		at.in("source").problem("%s is an API; use `kind: api`", spec.Source)
	case said == Shared && is == Database:
		at.in("source").problem("%s is a template, which holds one tenant's data; use `kind: database`", spec.Source)
	case said == Database && is == Shared:
		at.in("source").problem("%s is one database for every tenant; "+
			"add `template: true` to it, or use `kind: shared`", spec.Source)
	case said == Upstream:
		at.in("source").problem("%s is a database; use `kind: shared` or `kind: database`", spec.Source)
	}
}

// unreachable says why no strategy leads to a dataset, or "".
func (c *compiler) unreachable(dataset string) string {
	d, ok := c.spec.Datasets[dataset]
	switch {
	case !ok:
		return unknown("dataset", dataset, c.spec.Datasets)
	case d.Common:
		return commonHas(dataset)
	case d.Bound == boundPerTenant:
		return perTenantHas(dataset)
	}
	return ""
}

func commonHas(dataset string) string {
	return dataset + " is common: its rows come from its own source, whatever the strategy"
}

func perTenantHas(dataset string) string {
	return dataset + " is kept in tables of tenants' own, whatever the strategy"
}

// CheckStrategies says why strategies cannot be those of single datasets, by
// dataset; nil: they can. Whoever names what there is not means something else.
func (c *Catalog) CheckStrategies(by map[string]string) error {
	for _, dataset := range slices.Sorted(maps.Keys(by)) {
		switch d := c.byName[dataset]; {
		case d == nil && c.Unreached.left[dataset]: // nothing is read of it
		case d == nil:
			return fmt.Errorf("a strategy is named for the unknown dataset %q", dataset)
		case d.Common:
			return fmt.Errorf("a strategy is named where none leads: %s", commonHas(dataset))
		case d.PerTenant:
			return fmt.Errorf("a strategy is named where none leads: %s", perTenantHas(dataset))
		case c.Strategies[by[dataset]] == nil:
			return fmt.Errorf("unknown strategy %q of the dataset %s", by[dataset], dataset)
		}
	}
	return nil
}
