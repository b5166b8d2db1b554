package tenancy

import (
	"slices"

	"usher/fault"
	"usher/principal"
	"usher/tenancy/database"
)

// What a user has minted carries rights of theirs. When some of these are taken,
// all of it ends: what was minted with any of their sessions, of ages ago too,
// and in turn whatever was made with that. Sessions themselves are not among it,
// they read their user's rights anew.

// takes tells whether other rights leave out something that a user had. A role
// of the tenant's own restricts, so that to be given one takes, too.
func takes(before User, roles []string, scopes []principal.Scope, owned []string) bool {
	return slices.ContainsFunc(before.Roles, func(r string) bool { return !slices.Contains(roles, r) }) ||
		slices.ContainsFunc(before.Scopes, func(s principal.Scope) bool { return !slices.Contains(scopes, s) }) ||
		slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(owned, r) && !slices.Contains(before.Roles, r) })
}

// The ids of all that a user has minted, but with the session that is kept ($2).
const mintedBy = `
	WITH RECURSIVE minted AS (
		SELECT id FROM store.tokens WHERE minter_issuer = 'usher' AND minter_token IN (SELECT id FROM store.tokens WHERE user_id = $1 AND id <> $2)
		UNION
		SELECT t.id FROM store.tokens t JOIN minted m ON t.minter_token = m.id WHERE t.minter_issuer = 'usher'
	)
	SELECT id FROM minted`

// endMinted ends what a user has minted, service keys included; not what was
// minted with the session that is kept, if there is one.
func (t *tx) endMinted(user, kept string) error {
	if _, err := t.nextGeneration(); err != nil {
		return err
	}
	if err := t.revoking(); err != nil {
		return err
	}
	if err := t.revokeEach("id IN ("+mintedBy+")", user, kept); err != nil {
		return err
	}
	_, err := t.Exec("UPDATE store.tokens SET revoked_at = $3 WHERE revoked_at = 0 AND id IN ("+mintedBy+")", user, kept, micros(t.now))
	return err
}

// current refuses who asks with a token of the store that has ended, or whose
// user's rights have changed since it was verified: what is made with them now
// would not end with them.
func (t *tx) current(p principal.Principal) error {
	if p.Issuer != Issuer {
		return nil
	}
	row, err := t.token(p.TokenID)
	if database.Missing(err) || err == nil && (row.Revoked != 0 || row.expired(t.now)) {
		return refuse(ErrRevoked)
	}
	if err != nil {
		return err
	}
	return t.currentUser(p, row.UserID)
}

// currentUser is current for the session of a user; of none it says nothing.
func (t *tx) currentUser(p principal.Principal, id string) error {
	if id == "" {
		return nil
	}
	var row userRow
	err := t.Get(&row, "SELECT "+userColumns+" FROM store.users WHERE id = $1", id)
	if database.Missing(err) || err == nil && row.Status != Active {
		return refuse(ErrDisabled)
	}
	if err != nil {
		return err
	}
	user, err := row.user()
	if err != nil {
		return err
	}
	if !slices.Equal(user.Roles, p.Roles) || !slices.Equal(user.Scopes, p.Scopes) {
		return fault.New(fault.Conflict, "your rights have changed meanwhile").WithHint("Ask again.")
	}
	return nil
}
