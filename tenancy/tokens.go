package tenancy

import (
	"context"
	"slices"
	"time"

	"usher/audit"
	"usher/fault"
	"usher/principal"
)

// Token is what may be known of a token, key or session after it was made.
// Its filters, accounts and other values are not among it.
type Token struct {
	ID, Name     string
	Kind         Kind
	Tenant       string // empty: of all tenants
	Subject      string
	Email        string
	Roles        []string
	Scopes       []principal.Scope
	Strategy     string
	Datasets     []string // nil: not restricted
	Filtered     []string // datasets that have a filter
	Parameters   []string // names
	Cleared      []string // parameters whose conditions do not apply
	Metadata     []string // names
	Accounts     []AccountKeys
	SavedOnly    bool
	Acting       *principal.Acting
	MayGrant     MayGrant
	Rate         int
	Inactivity   time.Duration
	MintedBy     string // subject of the minter
	Created      time.Time
	Expires      time.Time // zero: never
	LastUsed     time.Time // exact to a minute; zero: never
	Revoked      time.Time // zero: not
	minterIssuer string
}

type tokenRow struct {
	ID            string `db:"id"`
	Kind          Kind   `db:"kind"`
	Hash          string `db:"hash"`
	Tenant        string `db:"tenant"`
	Subject       string `db:"subject"`
	Name          string `db:"name"`
	Email         string `db:"email"`
	UserID        string `db:"user_id"`
	MinterIssuer  string `db:"minter_issuer"`
	MinterSubject string `db:"minter_subject"`
	MinterToken   string `db:"minter_token"`
	Created       int64  `db:"created_at"`
	Expires       int64  `db:"expires_at"`
	Inactivity    int64  `db:"inactivity"`
	Used          int64  `db:"used_at"`
	Revoked       int64  `db:"revoked_at"`
	Body          string `db:"body"`
	Accounts      string `db:"accounts"`
}

//nolint:gosec // Names of columns.
const tokenColumns = `id, kind, hash, tenant, subject, name, email, user_id, minter_issuer, minter_subject, minter_token,
	created_at, expires_at, inactivity, used_at, revoked_at, body, accounts`

func (r tokenRow) expired(now time.Time) bool {
	return r.Expires != 0 && !now.Before(moment(r.Expires))
}

func (t *tx) token(id string) (tokenRow, error) {
	var row tokenRow
	err := t.get(&row, "SELECT "+tokenColumns+" FROM store.tokens WHERE id = $1", id)
	return row, err
}

func (s *Store) describe(row tokenRow) (Token, error) {
	b, err := readBody(row.Body)
	if err != nil {
		return Token{}, err
	}
	accounts, err := s.sealer.openAccounts(row.Accounts, tokenRowName(row.ID))
	if err != nil {
		return Token{}, err
	}
	t := Token{
		ID: row.ID, Name: row.Name, Kind: row.Kind, Tenant: row.Tenant, Subject: row.Subject, Email: row.Email,
		Roles: b.Roles, Scopes: b.Scopes, Strategy: b.Strategy, Datasets: b.Datasets,
		Parameters: sortedKeys(b.Parameters), Cleared: b.Cleared, Metadata: sortedKeys(b.Metadata), Accounts: accountKeys(accounts),
		SavedOnly: b.SavedOnly, Acting: b.Acting, MayGrant: b.MayGrant, Rate: b.Rate,
		Inactivity: time.Duration(row.Inactivity) * time.Microsecond, MintedBy: row.MinterSubject,
		Created: moment(row.Created), Expires: moment(row.Expires), LastUsed: moment(row.Used), Revoked: moment(row.Revoked),
		minterIssuer: row.MinterIssuer,
	}
	for _, f := range b.Filters {
		if !slices.Contains(t.Filtered, f.Dataset) {
			t.Filtered = append(t.Filtered, f.Dataset)
		}
	}
	return t, nil
}

// TokenFilter says which tokens to list. Empty members fit all.
type TokenFilter struct {
	Kind    Kind
	Tenant  string
	Subject string
	Living  bool // neither revoked nor expired
}

// Tokens lists tokens, keys and sessions by id, never with a secret. An
// administrator of one tenant sees that tenant's.
func (s *Store) Tokens(ctx context.Context, p principal.Principal, f TokenFilter, page Page) (tokens []Token, next string, err error) {
	if f.Tenant == "" {
		f.Tenant = p.Tenant
	}
	if err := mayAdminister(p, f.Tenant); err != nil {
		return nil, "", err
	}
	limit, err := page.limit()
	if err != nil {
		return nil, "", err
	}
	var rows []tokenRow
	err = s.list(ctx, &rows, "SELECT "+tokenColumns+` FROM store.tokens
		WHERE id > $1 AND ($2 = '' OR kind = $2) AND ($3 = '' OR tenant = $3) AND ($4 = '' OR subject = $4)
			AND (NOT $5 OR revoked_at = 0 AND (expires_at = 0 OR expires_at > $6))
		ORDER BY id LIMIT $7`,
		page.After, string(f.Kind), f.Tenant, f.Subject, f.Living, micros(s.now()), limit+1)
	if err != nil {
		return nil, "", translate(ctx, err)
	}
	rows, next = cut(rows, limit, func(r tokenRow) string { return r.ID })
	for _, row := range rows {
		token, err := s.describe(row)
		if err != nil {
			return nil, "", err
		}
		tokens = append(tokens, token)
	}
	return tokens, next, nil
}

// Revocation says which tokens end: those of the store and of trusted issuers
// on which all members that are set fit, and all that was minted with them.
type Revocation struct {
	TokenID      string
	Subject      string
	Tenant       string
	Issuer       string    // default with TokenID: usher
	IssuedBefore time.Time // default: now
	KeepMinted   bool      // leave what was minted with them; what is narrowed from them ends in any case
}

// forever is later than any token is issued.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Revoke ends tokens: here at once, elsewhere within a second. It returns how
// many of the store's own it has ended.
func (s *Store) Revoke(ctx context.Context, p principal.Principal, r Revocation) (int, error) {
	if r.Tenant == "" {
		r.Tenant = p.Tenant
	}
	var ended int
	err := s.administer(ctx, p, act{operation: "revoke", tenant: r.Tenant, detail: r.describe()}, func(t *tx) error {
		m, before, err := r.mark(t.now)
		if err != nil {
			return err
		}
		if err := t.coversEnded(p, m, micros(before)); err != nil {
			return err
		}
		ended, err = t.revoke(m, before, r.KeepMinted)
		return err
	})
	return ended, err
}

func (r Revocation) describe() string {
	text := ""
	for _, part := range []struct{ what, value string }{
		{"token", r.TokenID}, {"subject", r.Subject}, {"tenant", r.Tenant}, {"issuer", r.Issuer},
	} {
		if part.value != "" {
			text += part.what + " " + part.value + " "
		}
	}
	if !r.IssuedBefore.IsZero() {
		text += "issued before " + r.IssuedBefore.UTC().Format(time.RFC3339)
	}
	return text
}

func (r Revocation) mark(now time.Time) (mark, time.Time, error) {
	for _, err := range []error{
		checkLine("the token's id", r.TokenID, maxName), checkLine("the subject", r.Subject, maxName), checkLine("the issuer", r.Issuer, maxName),
	} {
		if err != nil {
			return mark{}, time.Time{}, err
		}
	}
	m := mark{Issuer: r.Issuer, Tenant: r.Tenant, Subject: r.Subject, Token: r.TokenID}
	switch {
	case m == mark{} && r.IssuedBefore.IsZero():
		return mark{}, time.Time{}, unusable("say what to revoke: a token, subject, tenant, issuer, or all issued before a time")
	case r.IssuedBefore.After(now):
		return mark{}, time.Time{}, unusable("the time before which tokens were issued is in the future")
	}
	before := r.IssuedBefore
	if before.IsZero() {
		before = now.Add(time.Microsecond) // those of this very moment too
	}
	if m.Token != "" {
		before = forever
		if m.Issuer == "" {
			m.Issuer = Issuer
		}
	}
	return m, before, nil
}

// The store's own tokens on which a mark fits.
const marked = `
	(created_at < $1 AND ($2 = '' OR $2 = 'usher') AND ($3 = '' OR tenant = $3) AND ($4 = '' OR subject = $4) AND ($5 = '' OR id = $5))`

// The ids of the tokens that end with a mark: those it fits, those that tokens
// of another issuer it fits have minted, and in turn what was narrowed from or
// minted with any of them. What others and service keys minted may be kept ($6).
const gone = `
	WITH RECURSIVE gone AS (
		SELECT id FROM store.tokens WHERE ` + marked + ` OR created_at < $1 AND NOT $6 AND $2 <> '' AND $2 <> 'usher' AND minter_issuer = $2
			AND ($3 = '' OR tenant = $3) AND ($4 = '' OR minter_subject = $4) AND ($5 = '' OR minter_token = $5)
		UNION
		SELECT t.id FROM store.tokens t JOIN gone g ON t.minter_token = g.id JOIN store.tokens m ON m.id = g.id
		WHERE t.minter_issuer = 'usher' AND (NOT $6 OR m.kind <> 'sk')
	)
	SELECT id FROM gone`

// revoke puts the mark, and one for each token that ends with those it fits.
func (t *tx) revoke(m mark, before time.Time, keepMinted bool) (int, error) {
	generation, err := t.raise()
	if err != nil {
		return 0, err
	}
	if err := t.revoking(); err != nil {
		return 0, err
	}
	ends, err := t.markEnd(m)
	if err != nil {
		return 0, err
	}
	_, err = t.exec(`INSERT INTO store.marks (id, issuer, tenant, subject, token, issued_before, expires_at, generation)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, newID(), m.Issuer, m.Tenant, m.Subject, m.Token, micros(before), ends, generation)
	if err != nil {
		return 0, err
	}
	fits := []any{micros(before), m.Issuer, m.Tenant, m.Subject, m.Token, keepMinted}
	if err := t.markEach("NOT "+marked+" AND id IN ("+gone+")", fits...); err != nil {
		return 0, err
	}
	ended, err := t.exec("UPDATE store.tokens SET revoked_at = $7 WHERE revoked_at = 0 AND id IN ("+gone+")", append(fits, micros(t.now))...)
	return int(ended), err
}

// RevokeOwn ends the token that is shown, and what was narrowed from it. It is
// how a session is logged out and how an embed token ends early.
func (s *Store) RevokeOwn(ctx context.Context, p principal.Principal) error {
	if p.Issuer != Issuer || p.TokenID == "" {
		return fault.New(fault.BadUserInput, "only a token that usher has made can be ended here")
	}
	entry := audit.Of(p, audit.Administration)
	entry.Operation, entry.Outcome = "logout", audit.Done
	return s.write(ctx, func(t *tx) error {
		if _, err := t.revoke(mark{Issuer: Issuer, Token: p.TokenID}, forever, true); err != nil {
			return err
		}
		return t.record(entry)
	})
}
