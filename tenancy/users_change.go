package tenancy

import (
	"cmp"
	"context"

	"usher/principal"
)

// SetUserRights replaces a user's roles and scopes; sessions have them within
// a second. When some are taken, what the user has minted ends.
func (s *Store) SetUserRights(ctx context.Context, p principal.Principal, tenant, username string, roles []string, scopes []principal.Scope) error {
	return s.changeUser(ctx, p, "setUserRights", tenant, username, func(t *tx, row *userRow) error {
		if err := t.checkRights(p, tenant, row.Username, roles, scopes); err != nil {
			return err
		}
		before, err := row.user()
		if err != nil {
			return err
		}
		owned, err := t.ownedRoles(tenant)
		if err != nil {
			return err
		}
		row.Roles, row.Scopes = names(roles), names(scopes)
		if takes(before, roles, scopes, owned) {
			return t.endMinted(row.ID, "")
		}
		return nil
	})
}

// SetUserStatus disables a user, which ends their sessions and what they have
// minted, or lets them in again.
func (s *Store) SetUserStatus(ctx context.Context, p principal.Principal, tenant, username string, status Status) error {
	return s.changeUser(ctx, p, "setUserStatus", tenant, username, func(t *tx, row *userRow) error {
		if status != Active && status != Disabled {
			return unusable("a user is %s or %s", Active, Disabled)
		}
		row.Status = status
		if status == Disabled {
			return t.endUser(row.ID, "")
		}
		return nil
	})
}

// SetUserProfile replaces what is shown of a user.
func (s *Store) SetUserProfile(ctx context.Context, p principal.Principal, tenant, username, name, email string) error {
	return s.changeUser(ctx, p, "setUserProfile", tenant, username, func(_ *tx, row *userRow) error {
		row.Name, row.Email = name, email
		return cmp.Or(checkShown("the name", name), checkShown("the email address", email))
	})
}

// SetPassword gives a user another password and ends all their sessions and what
// they have minted: who knew the old one may have made keys with it.
func (s *Store) SetPassword(ctx context.Context, p principal.Principal, tenant, username, password string) error {
	a := act{operation: "setPassword", tenant: tenant, detail: username}
	if err := a.allowed(p); err != nil {
		return s.refused(p, a, err)
	}
	hash, err := s.newPassword(ctx, username, password)
	if err != nil {
		return s.refused(p, a, err)
	}
	return s.changeUser(ctx, p, a.operation, tenant, username, func(t *tx, row *userRow) error {
		row.Password = hash
		if err := t.unlock(row.Tenant, row.Username); err != nil {
			return err
		}
		return t.endUser(row.ID, "")
	})
}

// UnlockUser forgets a user's failed attempts to log in. What is counted of addresses
// stays: it is not about this user.
func (s *Store) UnlockUser(ctx context.Context, p principal.Principal, tenant, username string) error {
	return s.changeUser(ctx, p, "unlockUser", tenant, username, func(t *tx, row *userRow) error {
		return t.unlock(row.Tenant, row.Username)
	})
}

// DeleteUser deletes a user and ends their sessions and what they have minted.
func (s *Store) DeleteUser(ctx context.Context, p principal.Principal, tenant, username string) error {
	return s.administer(ctx, p, act{operation: "deleteUser", tenant: tenant, detail: username}, func(t *tx) error {
		row, err := t.target(p, tenant, username)
		if err != nil {
			return err
		}
		if err := t.endUser(row.ID, ""); err != nil {
			return err
		}
		_, err = t.Exec("DELETE FROM store.users WHERE id = $1", row.ID)
		return err
	})
}

// target is the user whom somebody changes, and covers. Raising the generation
// first makes changes wait for one another.
func (t *tx) target(p principal.Principal, tenant, username string) (userRow, error) {
	if err := t.invalidateRights(); err != nil {
		return userRow{}, err
	}
	row, err := t.user(tenant, username)
	if err != nil {
		return userRow{}, err
	}
	return row, t.coversUser(p, row)
}

// changeUser changes a user.
func (s *Store) changeUser(ctx context.Context, p principal.Principal, operation, tenant, username string, change func(*tx, *userRow) error) error {
	return s.administer(ctx, p, act{operation: operation, tenant: tenant, detail: username}, func(t *tx) error {
		row, err := t.target(p, tenant, username)
		if err != nil {
			return err
		}
		if err := change(t, &row); err != nil {
			return err
		}
		return t.storeUser(row)
	})
}

func (t *tx) storeUser(row userRow) error {
	_, err := t.Exec("UPDATE store.users SET password = $2, status = $3, roles = $4, scopes = $5, changed_at = $6, name = $7, email = $8 WHERE id = $1",
		row.ID, row.Password, string(row.Status), row.Roles, row.Scopes, micros(t.now), row.Name, row.Email)
	return err
}

// endUser ends a user's sessions and what was minted with any of them; not the
// session that is kept, if there is one, and what is its.
func (t *tx) endUser(user, kept string) error {
	if err := t.revoking(); err != nil {
		return err
	}
	const living = "user_id = $1 AND id <> $2 AND expires_at > $3"
	if err := t.revokeEach(living, user, kept, micros(t.now)); err != nil {
		return err
	}
	if _, err := t.Exec("UPDATE store.tokens SET revoked_at = $3 WHERE revoked_at = 0 AND "+living, user, kept, micros(t.now)); err != nil {
		return err
	}
	return t.endMinted(user, kept)
}
