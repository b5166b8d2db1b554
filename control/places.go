package control

import (
	"iter"
	"slices"
	"sync"

	"usher/catalog"
	"usher/plan"
	"usher/principal"
	"usher/tenancy"
)

// registered is where the tenants of the store are read, kept for tokens with
// accounts: each is compared with all of them, and there may be many.
type registered struct {
	mu   sync.Mutex
	seen int64                      // the generation of the store
	of   map[string][]string        // places by tenant
	at   map[string]map[string]bool // tenants by place; whether it is all that keeps their rows apart
}

var _ tenancy.Places = (*Neighbors)(nil)

// Seen is the generation of the store up to which its tenants are known.
func (n *Neighbors) Seen() int64 {
	n.registered.mu.Lock()
	defer n.registered.mu.Unlock()
	return n.registered.seen
}

// Follow takes tenants that have changed since a generation of the store, up to another. They are read
// before the lock is taken: who waits for it may hold what reading needs. What
// somebody else has read up to a later generation is newer.
func (n *Neighbors) Follow(since, generation int64, changed iter.Seq2[principal.Principal, error]) error {
	type moved struct {
		tenant string
		places []plan.Place
	}
	var all []moved
	for p, err := range changed {
		if err != nil {
			return err
		}
		all = append(all, moved{p.Tenant, n.own(plan.Places(n.cat, p))})
	}
	r := &n.registered
	r.mu.Lock()
	defer r.mu.Unlock()
	if generation < r.seen || since > r.seen { // it is newer, or lacks what was before
		return nil
	}
	if r.of == nil {
		r.of, r.at = make(map[string][]string), make(map[string]map[string]bool)
	}
	for _, m := range all {
		r.set(m.tenant, m.places)
	}
	r.seen = generation
	return nil
}

// own leaves out the places that are everybody's: whoever is alone somewhere was
// compared with those.
func (n *Neighbors) own(places []plan.Place) []plan.Place {
	return slices.DeleteFunc(places, func(p plan.Place) bool { r, known := n.at[p.Where]; return known && r.tenant == "" })
}

// set replaces the places of a tenant.
func (r *registered) set(tenant string, places []plan.Place) {
	for _, where := range r.of[tenant] {
		delete(r.at[where], tenant)
		if len(r.at[where]) == 0 {
			delete(r.at, where)
		}
	}
	delete(r.of, tenant)
	for _, p := range places {
		if r.at[p.Where] == nil {
			r.at[p.Where] = make(map[string]bool, 1)
		}
		r.at[p.Where][tenant] = r.at[p.Where][tenant] || p.Alone
		r.of[tenant] = append(r.of[tenant], p.Where)
	}
}

// CheckAccounts judges a token about to be made whose accounts are other than its
// tenant's: none may lead to the place of another tenant, of the file or of the
// store, where nothing else keeps the two apart.
func (n *Neighbors) CheckAccounts(token principal.Principal, generation int64) error {
	if err := n.complete(token); err != nil {
		return err
	}
	places := slices.DeleteFunc(plan.Places(n.cat, token), func(p plan.Place) bool {
		_, named := token.Grant.Accounts[p.Source]
		return !named
	})
	if at, _, met := n.meets(token.Tenant, places); met {
		return shared(at)
	}
	r := &n.registered
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen < generation { // another catalog has just come to be served
		return catalog.NotYet()
	}
	for _, p := range places {
		for tenant, alone := range r.at[p.Where] {
			if tenant != token.Tenant && (alone || p.Alone) {
				return shared(p)
			}
		}
	}
	return nil
}
