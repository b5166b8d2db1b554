package plan

import (
	"cmp"
	"strings"

	"usher/catalog"
)

// chooseStrategies settles by which strategies the principal's datasets are
// reached. What the token says decides, then the tenant's record, then the
// configuration; each says more of a single dataset than of all. A name that
// means nothing refuses the principal, whatever is asked: the rows would come
// from where nobody meant them to.
func (b *builder) chooseStrategies() error {
	g, r := b.p.Grant, b.p.Routing
	if err := b.cat.CheckStrategies(r.Strategies); err != nil {
		return routingFault("%s", err)
	}
	if err := b.cat.CheckStrategies(g.Strategies); err != nil {
		return grantFault("%s", err)
	}
	name := cmp.Or(g.Strategy, r.Strategy, b.cat.DefaultStrategy)
	if b.strategy = b.cat.Strategies[name]; b.strategy == nil {
		return grantFault("unknown strategy %q", name)
	}
	if g.Strategy == "" { // a token's takes the place of all that the record says
		b.choose(r.Strategies)
	}
	b.choose(g.Strategies)
	return nil
}

func (b *builder) choose(by map[string]string) {
	for dataset, name := range by {
		if b.strategies == nil {
			b.strategies = make(map[string]*catalog.Strategy, len(by))
		}
		b.strategies[dataset] = b.cat.Strategies[name]
	}
}

// strategyOf is the strategy that leads to a tenant's rows of a dataset.
func (b *builder) strategyOf(d *catalog.Dataset) *catalog.Strategy {
	if other := b.strategies[d.Name]; other != nil {
		return other
	}
	return b.strategy
}

// reachedBy names the strategies of what the plan reads; of common data alone,
// the usual one.
func (b *builder) reachedBy() string {
	if len(b.by) == 0 {
		return b.strategy.Name
	}
	return strings.Join(b.by, ", ")
}
