package tenancy

import (
	"time"

	"usher/principal"
)

// issue is a token about to be made.
type issue struct {
	kind        Kind
	principal   principal.Principal // what it will say; without id and times
	mayGrant    MayGrant
	name, email string
	userID      string
	minter      principal.Principal
	expires     time.Time // zero: never
	inactivity  time.Duration
	rate        rate
}

// rate is how many requests a minute a token may send: its own, and those of another token
// whose allowance it shares.
type rate struct {
	own    int // 0: not limited
	of     string
	shared int
}

// Issued is a token that was just made. Its text is shown this once.
type Issued struct {
	ID      string
	Token   string
	Expires time.Time // zero: never
	Blank   []string  // dashboards of which the token shows no tile
}

func tokenRowName(id string) string { return "tokens/" + id }

// issue makes the token and stores what it grants, and of its text a hash.
func (t *tx) issue(i issue) (Issued, error) {
	o := newOpaque(i.kind)
	text, err := bodyOf(i.principal, i.mayGrant, i.rate)
	if err != nil {
		return Issued{}, err
	}
	accounts, err := t.store.sealer.sealAccounts(i.principal.Grant.Accounts, tokenRowName(o.id))
	if err != nil {
		return Issued{}, err
	}
	_, err = t.exec(`INSERT INTO store.tokens (id, kind, hash, tenant, subject, name, email, user_id, minter_issuer, minter_subject, minter_token,
			created_at, expires_at, inactivity, used_at, revoked_at, body, accounts)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, $15, $16)`,
		o.id, string(o.kind), o.hash(), i.principal.Tenant, i.principal.Subject, i.name, i.email, i.userID,
		i.minter.Issuer, i.minter.Subject, i.minter.TokenID, micros(t.now), micros(i.expires), i.inactivity.Microseconds(), text, accounts)
	if err != nil {
		return Issued{}, err
	}
	return Issued{ID: o.id, Token: o.text(), Expires: i.expires}, nil
}
