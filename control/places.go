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

// registered is where the tenants of the store are read, kept for what each of many
// is compared with: by place, so that it takes as long however many they are.
type registered struct {
	mu   sync.Mutex
	seen int64             // the generation of the store
	of   map[string][]stay // by tenant
	at   map[string]crowds // by place
}

// stay is a place of one tenant.
type stay struct {
	where   string
	alone   bool // it is all that keeps its rows apart
	deleted bool // the tenant: what it has left behind is there
}

// crowd is how many tenants are read from a place, and how many of them alone.
type crowd struct{ all, alone int }

type crowds struct{ living, deleted crowd }

func (c crowds) with(s stay, n int) crowds {
	of := &c.living
	if s.deleted {
		of = &c.deleted
	}
	of.all += n
	if s.alone {
		of.alone += n
	}
	return c
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
func (n *Neighbors) Follow(since, generation int64, changed iter.Seq2[tenancy.Record, error]) error {
	type moved struct {
		tenant  string
		places  []plan.Place
		deleted bool
	}
	var all []moved
	for r, err := range changed {
		if err != nil {
			return err
		}
		var places []plan.Place
		if !r.Released {
			places = n.own(plan.OwnPlaces(n.cat, r.Principal))
		}
		all = append(all, moved{r.Tenant, places, r.Deleted})
	}
	r := &n.registered
	r.mu.Lock()
	defer r.mu.Unlock()
	if generation < r.seen || since > r.seen { // it is newer, or lacks what was before
		return nil
	}
	if r.of == nil {
		r.of, r.at = make(map[string][]stay), make(map[string]crowds)
	}
	for _, m := range all {
		r.set(m.tenant, m.places, m.deleted)
	}
	r.seen = generation
	return nil
}

// Forget has all tenants read anew.
func (n *Neighbors) Forget() {
	r := &n.registered
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen, r.of, r.at = 0, nil, nil
}

// own leaves out the places that are everybody's: whoever is alone somewhere was
// compared with those.
func (n *Neighbors) own(places []plan.Place) []plan.Place {
	return slices.DeleteFunc(places, func(p plan.Place) bool { r, known := n.at[p.Where]; return known && r.tenant == "" })
}

// set replaces the places of a tenant.
func (r *registered) set(tenant string, places []plan.Place, deleted bool) {
	for _, s := range r.of[tenant] {
		if r.at[s.where] = r.at[s.where].with(s, -1); r.at[s.where] == (crowds{}) {
			delete(r.at, s.where)
		}
	}
	delete(r.of, tenant)
	for _, p := range places {
		if i := slices.IndexFunc(r.of[tenant], func(s stay) bool { return s.where == p.Where }); i < 0 {
			r.of[tenant] = append(r.of[tenant], stay{p.Where, p.Alone, deleted})
		} else {
			r.of[tenant][i].alone = r.of[tenant][i].alone || p.Alone // for one dataset is enough
		}
	}
	for _, s := range r.of[tenant] {
		r.at[s.where] = r.at[s.where].with(s, 1)
	}
}

// taken finds a place of a tenant that must not be another's too, and is, also where deleted ones have left
// rows behind: how that is refused is the caller's.
func (r *registered) taken(tenant string, places []plan.Place, left func(at plan.Place, by string) error) error {
	for _, p := range places {
		there := r.at[p.Where]
		for _, s := range r.of[tenant] {
			if s.where == p.Where {
				there = there.with(s, -1)
			}
		}
		if there.living.forbids(p) {
			return shared(p)
		}
		if there.deleted.forbids(p) {
			return left(p, r.leaver(tenant, p))
		}
	}
	return nil
}

// forbids tells whether a place may not be one more tenant's.
func (c crowd) forbids(p plan.Place) bool { return c.alone > 0 || p.Alone && c.all > 0 }

// leaver is a deleted tenant, but the one that asks, that has left rows in a place.
func (r *registered) leaver(but string, at plan.Place) string {
	for tenant, stays := range r.of {
		if tenant != but && slices.ContainsFunc(stays, func(s stay) bool { return s.deleted && s.where == at.Where && (s.alone || at.Alone) }) {
			return tenant
		}
	}
	return ""
}

// CheckRecord judges a tenant that is about to be registered, or to get an account, as
// CheckDisjoint does, against all tenants of the store.
func (n *Neighbors) CheckRecord(record principal.Principal, generation int64) error {
	places, err := n.allowed(record)
	if err != nil {
		return err
	}
	r := &n.registered
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen < generation { // another catalog has just come to be served
		return catalog.NotYet()
	}
	return r.taken(record.Tenant, n.own(places), left)
}

// CheckAccounts judges a token about to be made whose accounts are other than its
// tenant's: none may lead to the place of another tenant, of the file or of the
// store, where nothing else keeps the two apart.
func (n *Neighbors) CheckAccounts(token principal.Principal, generation int64) error {
	if err := n.cat.UnplacedAccounts(token.Grant.Accounts); err != nil {
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
	return r.taken(token.Tenant, places, func(at plan.Place, _ string) error { return leftBySomebody(at) })
}
