package tenancy

import (
	"slices"

	"usher/fault"
	"usher/principal"
)

// Who administers changes only users, keys and roles whose rights they hold
// themselves, those from before and those from after: to give a person another
// password is to become them, and to widen a role is to widen whoever holds it.
// An administrator of all tenants who is not restricted holds everything.

// coversRights refuses rights that who gives them does not hold: roles, other
// than those the tenant owns, and scopes.
func coversRights(p principal.Principal, roles []string, scopes []principal.Scope, owned []string) error {
	if p.AllTenants {
		return nil
	}
	for _, role := range roles {
		if !slices.Contains(p.Roles, role) && !slices.Contains(owned, role) {
			return forbidden("role %s is neither your own nor one that the tenant owns", role)
		}
	}
	for _, scope := range scopes {
		if !has(p, scope) {
			return forbidden("the scope %s is not your own", scope)
		}
	}
	return nil
}

// ownedRoles are the names of the roles that a tenant owns.
func (t *tx) ownedRoles(tenant string) (owned []string, err error) {
	err = t.List(&owned, "SELECT name FROM store.roles WHERE tenant = $1", tenant)
	return owned, err
}

// coversUser refuses to touch a user who may do more than who asks.
func (t *tx) coversUser(p principal.Principal, row userRow) error {
	if err := unrestricted(p); err != nil {
		return err
	}
	if p.AllTenants {
		return nil
	}
	user, err := row.user()
	if err != nil {
		return err
	}
	owned, err := t.ownedRoles(row.Tenant)
	if err != nil {
		return err
	}
	if err := coversRights(p, user.Roles, user.Scopes, owned); err != nil {
		return forbidden("the user may do more than you: %s", fault.From(err).Message)
	}
	return nil
}

// coversOwner refuses to touch what a user keeps who may do more than who asks.
// An owner who is no user of the store is known to their issuer alone.
func (t *tx) coversOwner(p principal.Principal, tenant, owner string) error {
	row, err := t.user(tenant, owner)
	if err != nil {
		if code := fault.From(err).Code; code == fault.NotFound || code == fault.BadUserInput {
			return nil
		}
		return err
	}
	return t.coversUser(p, row)
}

// coversHolders refuses to change a tenant's own role that somebody holds who
// may do more than who asks: users, keys and tokens that are still good.
func (t *tx) coversHolders(p principal.Principal, tenant, role string) error {
	if err := unrestricted(p); err != nil {
		return err
	}
	if p.AllTenants {
		return nil
	}
	owned, err := t.ownedRoles(tenant)
	if err != nil {
		return err
	}
	covers := func(roles []string, scopes []principal.Scope) error {
		if !slices.Contains(roles, role) {
			return nil
		}
		if err := coversRights(p, roles, scopes, owned); err != nil {
			return forbidden("somebody who holds role %s may do more than you: %s", role, fault.From(err).Message)
		}
		return nil
	}
	written := `"` + role + `"` // as lists of names are stored
	var users []userRow
	err = t.List(&users, "SELECT "+userColumns+" FROM store.users WHERE tenant = $1 AND strpos(roles, $2) > 0", tenant, written)
	if err != nil {
		return err
	}
	for _, row := range users {
		user, err := row.user()
		if err != nil {
			return err
		}
		if err := covers(user.Roles, user.Scopes); err != nil {
			return err
		}
	}
	for after, more := "", true; more; {
		var tokens []tokenRow
		err := t.List(&tokens, "SELECT "+tokenColumns+` FROM store.tokens WHERE tenant = $1 AND strpos(body, $2) > 0 AND id > $3
			AND revoked_at = 0 AND (expires_at = 0 OR expires_at > $4) ORDER BY id LIMIT 500`, tenant, written, after, micros(t.now))
		if err != nil {
			return err
		}
		for _, row := range tokens {
			b, err := readBody(row.Body)
			if err != nil {
				return err
			}
			if err := covers(b.Roles, b.Scopes); err != nil {
				return err
			}
			after = row.ID
		}
		more = len(tokens) > 0
	}
	return nil
}

// coversEnded refuses to end service keys that may do more than who asks.
// Sessions and embed tokens are ended by whoever administers their tenant: to
// be able to stop what leaks matters more, and nobody gains by it.
func (t *tx) coversEnded(p principal.Principal, k revocationKey, before int64) error {
	restricted := unrestricted(p)
	if p.AllTenants && restricted == nil {
		return nil
	}
	var keys []tokenRow
	err := t.List(&keys, "SELECT "+tokenColumns+` FROM store.tokens WHERE kind = 'sk' AND revoked_at = 0 AND (expires_at = 0 OR expires_at > $6)
		AND `+revokedByKey, before, k.Issuer, k.Tenant, k.Subject, k.Token, micros(t.now))
	if err != nil || len(keys) == 0 {
		return err
	}
	if restricted != nil {
		return restricted
	}
	for _, key := range keys {
		b, err := readBody(key.Body)
		if err != nil {
			return err
		}
		owned, err := t.ownedRoles(key.Tenant)
		if err != nil {
			return err
		}
		err = coversRights(p, b.Roles, b.Scopes, owned)
		if err == nil && !b.MayGrant.IsZero() {
			err = forbidden("it may grant what you may not")
		}
		if err != nil {
			return forbidden("service key %s may do more than you: %s", key.ID, fault.From(err).Message)
		}
	}
	return nil
}
