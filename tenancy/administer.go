package tenancy

import (
	"cmp"
	"context"

	"usher/audit"
	"usher/fault"
	"usher/principal"
)

// everyTenant stands for all of them where a right is asked for.
const everyTenant = ""

// mayAdminister judges the right to administer a tenant, or all of them.
func mayAdminister(p principal.Principal, tenant string) error {
	switch {
	case (p.Tenant == "") != p.AllTenants:
		return fault.New(fault.Unauthenticated, "no valid token was shown")
	case p.Acting != nil:
		return forbidden("who acts as a tenant does not administer; use your own token")
	case !has(p, principal.Administer):
		return forbidden("this needs the scope %s", principal.Administer)
	case p.AllTenants:
		return nil
	case tenant == everyTenant:
		return forbidden("this needs the right to all tenants")
	case p.Tenant != tenant:
		return forbidden("this is another tenant's")
	}
	return nil
}

// unrestricted refuses who would hand out more than they see.
func unrestricted(p principal.Principal) error {
	g := p.Grant
	if len(p.RoleSpecs) > 0 || len(g.Filters) > 0 || len(g.Parameters) > 0 || len(g.Cleared) > 0 || len(g.Accounts) > 0 || g.Datasets != nil || g.SavedOnly {
		return forbidden("a token that is restricted itself cannot do this")
	}
	return nil
}

// act is what somebody does to the store.
type act struct {
	operation string
	tenant    string // whom it concerns; everyTenant: all
	detail    string
	global    bool // it needs the right to all tenants, restricted by nothing, although it concerns one
}

func (a act) allowed(p principal.Principal) error {
	if a.global {
		return cmp.Or(mayAdminister(p, everyTenant), unrestricted(p))
	}
	return mayAdminister(p, a.tenant)
}

// administer runs fn in a transaction as an act of p, with its entry in the
// audit log. A refusal is noted there too.
func (s *Store) administer(ctx context.Context, p principal.Principal, a act, fn func(*tx) error) error {
	entry := audit.Of(p, audit.Administration)
	entry.Operation, entry.Tenant, entry.Detail, entry.Outcome = a.operation, a.tenant, a.detail, audit.Done
	err := a.allowed(p)
	if err == nil {
		err = s.write(ctx, func(t *tx) error {
			if err := t.current(p); err != nil {
				return err
			}
			if err := fn(t); err != nil {
				return err
			}
			return t.record(entry)
		})
	}
	s.noteRefusal(entry, err)
	return err
}

// noteRefusal notes what was forbidden, without making the caller wait.
func (s *Store) noteRefusal(entry audit.Entry, err error) {
	if err == nil {
		return
	}
	if code := fault.From(err).Code; code == fault.Forbidden || code == fault.Unauthenticated {
		entry.Outcome = string(code)
		s.Audit(entry)
	}
}
