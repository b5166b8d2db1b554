package tenancy

import (
	"context"
	"time"

	"usher/principal"
)

// ActRequest is how an administrator of all tenants becomes one tenant for a
// while.
type ActRequest struct {
	Tenant   string
	Reason   string
	Duration time.Duration // default 15 minutes, at most an hour
	Write    bool          // else it only reads
	Roles    []string      // nil: the administrator's own
}

const (
	defaultActing = 15 * time.Minute
	maxActing     = time.Hour
)

// ActAs makes a session in which the administrator is the tenant: it sees what
// a token of the tenant with these roles sees, and administers nothing.
func (s *Store) ActAs(ctx context.Context, admin principal.Principal, r ActRequest) (Issued, error) {
	if r.Duration == 0 {
		r.Duration = defaultActing
	}
	if r.Roles == nil {
		r.Roles = admin.Roles
	}
	var made Issued
	err := s.administer(ctx, admin, act{operation: "actAs", tenant: r.Tenant, detail: r.Reason, global: true}, func(t *tx) error {
		for _, err := range []error{checkTenantID(r.Tenant), checkPresent("the reason", r.Reason, 500), checkNames("role", r.Roles)} {
			if err != nil {
				return err
			}
		}
		if r.Write && !has(admin, principal.WriteData) {
			return forbidden("acting with the right to write needs the scope %s", principal.WriteData)
		}
		if r.Duration < time.Minute || r.Duration > maxActing {
			return unusable("acting lasts from a minute to an hour")
		}
		parent, err := t.parent(admin)
		if err != nil {
			return err
		}
		allowances, err := parent.allowed(principal.Budget{})
		if err != nil {
			return err
		}
		rate, err := parent.rate(0)
		if err != nil {
			return err
		}
		tenant, err := t.activeTenant(r.Tenant)
		if err != nil {
			return err
		}
		routing, err := s.routing(tenant)
		if err != nil {
			return err
		}
		acting := principal.Principal{
			Subject: admin.Subject, Issuer: Issuer, Tenant: tenant.ID, TenantKey: tenant.Key, Routing: routing, Roles: r.Roles,
			Scopes: []principal.Scope{principal.ReadData}, Acting: &principal.Acting{Subject: admin.Subject, Reason: r.Reason}, Allowances: allowances,
			Issued: t.now, Expires: t.now.Add(r.Duration),
		}
		if r.Write {
			acting.Scopes = append(acting.Scopes, principal.WriteData)
		}
		if !admin.Expires.IsZero() && acting.Expires.After(admin.Expires) {
			acting.Expires = admin.Expires
		}
		if err := t.ownRoles(&acting); err != nil {
			return err
		}
		if err := s.opts.Check(acting); err != nil {
			return err
		}
		made, err = t.issue(issue{kind: Session, principal: acting, minter: admin, expires: acting.Expires, rate: rate})
		return err
	})
	return made, err
}
