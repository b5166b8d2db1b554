package tenancy

import (
	"context"
	"time"

	"usher/audit"
	"usher/fault"
	"usher/principal"
	"usher/tenancy/database"
)

// KeyRequest is what a service key shall be.
type KeyRequest struct {
	Name       string // of the backend; its subject
	Tenant     string // exactly one of Tenant and AllTenants
	AllTenants bool
	Scopes     []principal.Scope
	Roles      []string
	Datasets   []string // nil: all that the roles allow
	Dashboards []string // nil: not restricted; else it runs these and nothing else
	MayGrant   MayGrant
	ExpiresAt  time.Time // zero: never
	Rate       int       // requests a minute, of the key and of what is made with it; 0: not limited
	Limits     principal.Budget
}

func (r KeyRequest) check(now time.Time) error {
	if (r.Tenant == "") != r.AllTenants {
		return unusable("a key is of one tenant, or explicitly of all")
	}
	if r.Tenant != "" {
		if err := checkTenantID(r.Tenant); err != nil {
			return err
		}
	}
	if len(r.Scopes) == 0 {
		return unusable("a key needs at least one scope")
	}
	for _, err := range []error{
		checkPresent("the key's name", r.Name, maxName), checkScopes(r.Scopes), checkNames("role", r.Roles), checkNames("dataset", r.Datasets), checkNames("dashboard", r.Dashboards),
		checkNames("strategy", r.MayGrant.Strategies), checkNames("source", r.MayGrant.Accounts),
		checkNames("parameter", r.MayGrant.Parameters), checkNames("parameter", r.MayGrant.Clear), checkNames("metadata member", r.MayGrant.Metadata),
		checkBudget(r.Limits), checkRate(r.Rate),
	} {
		if err != nil {
			return err
		}
	}
	if !r.ExpiresAt.IsZero() && !r.ExpiresAt.After(now) {
		return unusable("the key would have expired already")
	}
	return nil
}

// coversKey refuses a key that can more than who makes it.
func (t *tx) coversKey(p principal.Principal, r KeyRequest) error {
	if err := unrestricted(p); err != nil {
		return err
	}
	if p.AllTenants {
		return nil
	}
	owned, err := t.ownedRoles(r.Tenant)
	if err != nil {
		return err
	}
	if err := coversRights(p, r.Roles, r.Scopes, owned); err != nil {
		return err
	}
	if !r.MayGrant.IsZero() {
		return forbidden("only an administrator of all tenants lets a key grant what it does not hold")
	}
	return nil
}

// CreateKey makes a service key for a backend.
func (s *Store) CreateKey(ctx context.Context, p principal.Principal, r KeyRequest) (Issued, error) {
	var made Issued
	err := s.administer(ctx, p, act{operation: "createKey", tenant: r.Tenant, detail: r.Name}, func(t *tx) error {
		if err := r.check(t.now); err != nil {
			return err
		}
		if err := t.coversKey(p, r); err != nil {
			return err
		}
		if err := s.opts.CheckMayGrant(r.MayGrant); err != nil {
			return err
		}
		maker, err := t.parent(p)
		if err != nil {
			return err
		}
		made, err = t.createKey(p, maker, r)
		return err
	})
	return made, err
}

// createKey makes a key that is limited as its maker is, beside its own limits.
func (t *tx) createKey(by principal.Principal, maker parent, r KeyRequest) (Issued, error) {
	allowances, err := maker.allowed(r.Limits)
	if err != nil {
		return Issued{}, err
	}
	rate, err := maker.rate(r.Rate)
	if err != nil {
		return Issued{}, err
	}
	key := principal.Principal{
		Subject: r.Name, Issuer: Issuer, Tenant: r.Tenant, AllTenants: r.AllTenants, Roles: r.Roles, Scopes: r.Scopes,
		Grant: principal.Grant{Datasets: r.Datasets, Dashboards: r.Dashboards}, Allowances: allowances, Issued: t.now, Expires: r.ExpiresAt,
	}
	if r.Tenant != "" {
		tenant, err := t.activeTenant(r.Tenant)
		if err != nil {
			return Issued{}, err
		}
		if key.Routing, err = t.store.routing(tenant); err != nil {
			return Issued{}, err
		}
		key.TenantKey = tenant.Key
	}
	if err := t.ownRoles(&key); err != nil {
		return Issued{}, err
	}
	if err := t.store.opts.Check(key); err != nil {
		return Issued{}, err
	}
	if err := t.knownDashboards(r.Tenant, r.Dashboards); err != nil {
		return Issued{}, err
	}
	return t.issue(issue{kind: ServiceKey, principal: key, mayGrant: r.MayGrant, name: r.Name, minter: by, expires: r.ExpiresAt, rate: rate})
}

// administrators counts who may administer, or was made by somebody who may.
const administrators = "SELECT (SELECT count(*) FROM store.tokens WHERE kind = 'sk') + (SELECT count(*) FROM store.users)"

// Empty tells that nobody can administer yet: Bootstrap makes the first key.
func (s *Store) Empty(ctx context.Context) (bool, error) {
	var known int
	if err := s.db.Get(ctx, &known, administrators); err != nil {
		return false, database.Translate(ctx, err)
	}
	return known == 0, nil
}

// Bootstrap makes the first administrator's key. It is refused as soon as the
// store holds any key or user.
func (s *Store) Bootstrap(ctx context.Context, name string) (Issued, error) {
	r := KeyRequest{Name: name, AllTenants: true, Scopes: knownScopes()}
	var made Issued
	err := s.write(ctx, func(t *tx) error {
		if err := r.check(t.now); err != nil {
			return err
		}
		// Two at once wait for each other here.
		if _, err := t.nextGeneration(); err != nil {
			return err
		}
		var known int
		if err := t.Get(&known, administrators); err != nil {
			return err
		}
		if known > 0 {
			return fault.New(fault.Conflict, "the control store has keys or users already").
				WithHint("Make further keys with an administrator's. If the first one is lost, usher key bootstrap --recover makes another.")
		}
		var err error
		made, err = t.createKey(principal.Principal{Issuer: Issuer, Subject: "bootstrap"}, parent{}, r)
		if err != nil {
			return err
		}
		t.record(audit.Entry{Kind: audit.Administration, Subject: "bootstrap", Issuer: Issuer, Operation: "bootstrap", Detail: name, Outcome: audit.Done})
		return nil
	})
	return made, err
}
