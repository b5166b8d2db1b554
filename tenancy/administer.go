package tenancy

import (
	"cmp"
	"context"
	"strings"

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

// Administers refuses who has no right to administer a tenant or, if it is empty, all
// of them: what else such people are told than the store holds.
func (s *Store) Administers(p principal.Principal, tenant string) error {
	return mayAdminister(p, tenant)
}

// unrestricted refuses who would hand out more than they see.
func unrestricted(p principal.Principal) error {
	g := p.Grant
	if len(p.RoleSpecs) > 0 || len(g.Filters) > 0 || len(g.Parameters) > 0 || len(g.Cleared) > 0 || len(g.Accounts) > 0 || g.Datasets != nil || g.SavedOnly || g.Dashboards != nil {
		return forbidden("a token that is restricted itself cannot do this")
	}
	return nil
}

// act is what somebody does to the store.
type act struct {
	operation string
	tenant    string // whom it concerns; everyTenant: all
	detail    string
	result    func() string // what it has done, which the log tells; nil: no more than it was to
	global    bool          // it needs the right to all tenants, restricted by nothing, although it concerns one
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
	err := a.allowed(p)
	if err == nil {
		err = s.write(ctx, func(t *tx) error {
			if err := t.current(p); err != nil {
				return err
			}
			if err := fn(t); err != nil {
				return err
			}
			done := a.entry(p)
			if a.result != nil {
				done.Detail += ": " + a.result()
			}
			t.record(done)
			return nil
		})
	}
	return s.refused(p, a, err)
}

// entry is of an act that is done.
func (a act) entry(p principal.Principal) audit.Entry {
	e := audit.Of(p, audit.Administration)
	e.Operation, e.Tenant, e.Detail, e.Outcome = a.operation, a.tenant, a.detail, audit.Done
	return e
}

// refused notes why an act was not done, and returns it. Who is not allowed it is
// noted for that alone: what else is wrong tells only of who administers.
func (s *Store) refused(p principal.Principal, a act, err error) error {
	if err != nil {
		s.noteRefusal(p, a.entry(p), err, a.allowed(p) == nil)
	}
	return err
}

// Refused is refused for acts whose arguments make no sense before the store sees
// them. It returns the error.
func (s *Store) Refused(p principal.Principal, operation, tenant, detail string, err error) error {
	may := mayAdminister(p, tenant) == nil
	if operation == createToken {
		may = has(p, principal.CreateTokens)
	}
	if may {
		s.noteRefusal(p, act{operation: operation, tenant: tenant, detail: detail}.entry(p), err, true)
	}
	return err
}

// noteRefusal notes a refusal before the caller is told of it; entitled tells that
// the caller may do such things at all. What somebody of a tenant tries with
// another one is in the log of their own: they must not write into the other's.
func (s *Store) noteRefusal(p principal.Principal, entry audit.Entry, err error, entitled bool) {
	if err == nil {
		return
	}
	code := fault.From(err).Code
	switch code {
	case fault.Forbidden, fault.Unauthenticated:
	case fault.Internal, fault.Unavailable, fault.Timeout: // nobody has refused anything
		return
	default:
		if !entitled {
			return
		}
	}
	if !p.AllTenants && entry.Tenant != p.Tenant {
		other := entry.Tenant
		if other == everyTenant {
			other = "of all"
		}
		entry.Tenant, entry.Detail = p.Tenant, strings.TrimSpace("tenant "+other+": "+entry.Detail)
	}
	entry.Outcome = string(code)
	entry.Tenant, entry.Detail = strings.Clone(storable(entry.Tenant)), strings.Clone(storable(entry.Detail)) // it may wait for long, and be large
	s.journal.Add(entry)
}
