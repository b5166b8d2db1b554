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

// rate is how many requests a minute a token may send: what holds for it, and what it takes from of those that it
// is made with.
type rate struct {
	own int // 0: not limited
	of  []rated
}

// rated is a token that others are made with, and how many requests a minute it has for itself and for all of them.
type rated struct {
	Token string `json:"token"`
	Rate  int    `json:"rate"`
}

// least is the slowest of those; 0: there are none.
func (r rate) least() (n int) {
	for _, other := range r.of {
		n = slower(n, other.Rate)
	}
	return n
}

// counts tells whether the token has a limit that is not one of those that it is made with.
func (r rate) counts() bool { return r.own != 0 && (len(r.of) == 0 || r.own < r.least()) }

// Hidden are the tiles of a dashboard that a token does not show.
type Hidden struct {
	Dashboard string
	Tiles     []string // by id
	All       bool     // no other one shows anything
}

// Issued is a token that was just made. Its text is shown this once.
type Issued struct {
	ID      string
	Token   string
	Expires time.Time // zero: never
	Hidden  []Hidden  // of the dashboards that it is for
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
	_, err = t.Exec(`INSERT INTO store.tokens (id, kind, hash, tenant, subject, name, email, user_id, minter_issuer, minter_subject, minter_token,
			created_at, expires_at, inactivity, used_at, revoked_at, body, accounts)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, $15, $16)`,
		o.id, string(o.kind), o.hash(), i.principal.Tenant, i.principal.Subject, i.name, i.email, i.userID,
		i.minter.Issuer, i.minter.Subject, i.minter.TokenID, micros(t.now), micros(i.expires), i.inactivity.Microseconds(), text, accounts)
	if err != nil {
		return Issued{}, err
	}
	return Issued{ID: o.id, Token: o.text(), Expires: i.expires}, nil
}
