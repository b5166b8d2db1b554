package control

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"usher/catalog"
	"usher/config"
	"usher/fault"
	"usher/plan"
	"usher/principal"
	"usher/tenancy"
)

// Neighbors are who is read from which place. Where a tenant column is applied
// many may be read from one; a place that is all that keeps somebody's rows
// apart is theirs alone.
type Neighbors struct {
	cat        *catalog.Catalog
	at         map[string]resident
	registered registered
}

type resident struct {
	tenant string // empty: everybody
	alone  bool
	others bool // more than one tenant is read from there
}

// Configured are the neighbors that the configuration knows: everybody, where
// the rows are shared, and the tenants it registers.
func Configured(cat *catalog.Catalog) (*Neighbors, []catalog.Problem) {
	n := &Neighbors{cat: cat, at: make(map[string]resident)}
	n.add("", plan.Places(cat, principal.Principal{}))
	for _, cell := range cat.Cells() {
		n.add("", plan.Places(cat, principal.Principal{Routing: principal.Routing{Cell: cell}}))
	}
	var problems []catalog.Problem
	for _, id := range slices.Sorted(maps.Keys(cat.Tenants)) {
		t := cat.Tenants[id]
		places := plan.Places(cat, principal.Principal{Tenant: id, TenantKey: t.Key, Routing: t.Routing()})
		if p, other, met := n.meets(id, places); met {
			problems = append(problems, catalog.Problem{
				Path: []string{"tenants", id, "accounts", p.Source},
				Message: fmt.Sprintf("its %s are read from the same place as %s, without a tenant column; give it a database, schema or login of its own",
					p.Dataset, named(other)),
			})
		}
		n.add(id, places)
	}
	return n, problems
}

func named(tenant string) string {
	if tenant == "" {
		return "those of others"
	}
	return "those of " + tenant
}

// meets finds a place of a tenant that must not be another's too, and is.
func (n *Neighbors) meets(tenant string, places []plan.Place) (at plan.Place, other string, met bool) {
	for _, p := range places {
		r, known := n.at[p.Where]
		if !known || r.tenant == tenant && !r.others || !r.alone && !p.Alone {
			continue
		}
		if r.tenant != tenant {
			other = r.tenant
		}
		return p, other, true
	}
	return plan.Place{}, "", false
}

func (n *Neighbors) add(tenant string, places []plan.Place) {
	for _, p := range places {
		r, known := n.at[p.Where]
		if !known {
			r.tenant = tenant
		}
		n.at[p.Where] = resident{tenant: r.tenant, alone: r.alone || p.Alone, others: r.others || r.tenant != tenant}
	}
}

// allowed are the places of a record, as far as the configuration says: none is one that
// must not be another's.
func (n *Neighbors) allowed(record principal.Principal) ([]plan.Place, error) {
	if err := n.cat.Unplaced(record.Routing); err != nil {
		return nil, err
	}
	places := plan.Places(n.cat, record)
	if at, _, met := n.meets(record.Tenant, places); met {
		return nil, shared(at)
	}
	return places, nil
}

// CheckDisjoint judges a tenant that is about to be registered, or to get an
// account: nothing of it may be read from the place of another where nothing
// else keeps them apart.
func (n *Neighbors) CheckDisjoint(p principal.Principal, others iter.Seq2[tenancy.Record, error]) error {
	places, err := n.allowed(p)
	if err != nil {
		return err
	}
	// Whoever is alone somewhere was compared with the places of everybody.
	own := &Neighbors{at: make(map[string]resident)}
	own.add(p.Tenant, n.own(places))
	if len(own.at) == 0 {
		return nil
	}
	for other, err := range others {
		if err != nil {
			return err
		}
		if other.Tenant == p.Tenant || other.Released {
			continue
		}
		if at, _, met := own.meets(other.Tenant, plan.OwnPlaces(n.cat, other.Principal)); met && other.Deleted {
			return left(at, other.Tenant)
		} else if met {
			return shared(at)
		}
	}
	return nil
}

// shared is the refusal, which does not say whose the place is.
func shared(at plan.Place) error {
	return fault.New(fault.Conflict, "the tenant's %s in %s would be read from another's place, and nothing else keeps them apart", at.Dataset, at.Source).
		WithHint("Give the tenant a database, schema or login of its own.")
}

// left is the refusal of what a deleted tenant has left behind. Who sets records has
// tenants deleted, and is told which it was.
func left(at plan.Place, by string) error {
	return fault.New(fault.Conflict, "the tenant's %s in %s would be read from where rows of tenant %s, which is deleted, are or were, and nothing else keeps them apart", at.Dataset, at.Source, by).
		WithHint("Give the tenant a database, schema or login of its own or, once those rows are gone, release the places of %s: releasePlaces, or `usher tenant release-places`.", by)
}

// leftBySomebody is that of a token, whose minter may know of no other tenant.
func leftBySomebody(at plan.Place) error {
	return fault.New(fault.Conflict, "the token's %s in %s would be read from where rows of a deleted tenant are or were, and nothing else keeps them apart", at.Dataset, at.Source).
		WithHint("Name an account of the tenant's own. Once those rows are gone, an administrator of all tenants can release the deleted tenant's places (releasePlaces).")
}

// settled refuses to start while tenants of the store are read from the place of
// another, of the file or of the store: the configuration may have changed since
// they were registered.
func (n *Neighbors) settled(ctx context.Context, cfg *config.Config, store Tenants) error {
	all := &Neighbors{cat: n.cat, at: maps.Clone(n.at)}
	for p, err := range store.Routings(ctx) {
		if err != nil {
			return err
		}
		places := plan.OwnPlaces(n.cat, p) // whoever is alone somewhere has met everybody there
		at, other, met := all.meets(p.Tenant, places)
		if _, ofFile := n.cat.Tenants[other]; met && ofFile {
			return cfg.Locate([]catalog.Problem{{
				Path:    []string{"tenants", other, "accounts", at.Source},
				Message: fmt.Sprintf("its %s are read from the same place as those of %s, a tenant of the control store, without a tenant column", at.Dataset, p.Tenant),
			}})
		}
		if met {
			return fmt.Errorf("the %s of tenant %s in source %s are read from the same place as %s, without a tenant column; give the dataset one, or another place to one of the two",
				at.Dataset, p.Tenant, at.Source, named(other))
		}
		all.add(p.Tenant, places)
	}
	return nil
}
