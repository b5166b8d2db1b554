package tenancy

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"usher/principal"
	"usher/tenancy/database"
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
	Strategies   map[string]string // of single datasets, by dataset
	Datasets     []string          // nil: not restricted
	Filtered     []string          // datasets that have a filter
	Parameters   []string          // names
	Cleared      []string          // parameters whose conditions do not apply
	Metadata     []string          // names
	Accounts     []AccountKeys
	SavedOnly    bool
	Dashboards   []string // nil: not restricted
	Acting       *principal.Acting
	MayGrant     MayGrant
	Rate         int
	Limits       principal.Budget // the narrowest of what it may use, which it may share with others
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
	err := t.Get(&row, "SELECT "+tokenColumns+" FROM store.tokens WHERE id = $1", id)
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
		Roles: b.Roles, Scopes: b.Scopes, Strategy: b.Strategy, Strategies: b.Strategies, Datasets: b.Datasets,
		Parameters: sortedKeys(b.Parameters), Cleared: b.Cleared, Metadata: sortedKeys(b.Metadata), Accounts: AccountsOf(accounts),
		SavedOnly: b.SavedOnly, Dashboards: b.Dashboards, Acting: b.Acting, MayGrant: b.MayGrant, Rate: b.Rate, Limits: principal.Narrowest(b.allowances("")),
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
	Search  string // occurs, in any case, in what says whose it is
	Living  bool   // neither revoked nor expired
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
	if err == nil {
		err = cmp.Or(checkSearch(f.Search), s.knownTenant(ctx, p, f.Tenant))
	}
	if err != nil {
		return nil, "", err
	}
	var rows []tokenRow
	err = s.db.List(ctx, &rows, "SELECT "+tokenColumns+` FROM store.tokens
		WHERE id > $1 AND ($2 = '' OR kind = $2) AND ($3 = '' OR tenant = $3) AND ($4 = '' OR subject = $4)
			AND (NOT $5 OR revoked_at = 0 AND (expires_at = 0 OR expires_at > $6))
			AND ($7 = '' OR strpos(id, $7) > 0 OR strpos(tenant, $7) > 0 OR strpos(lower(subject), $7) > 0 OR strpos(lower(name), $7) > 0
				OR strpos(lower(email), $7) > 0 OR strpos(lower(minter_subject), $7) > 0)
		ORDER BY id LIMIT $8`,
		page.After, string(f.Kind), f.Tenant, f.Subject, f.Living, micros(s.now()), strings.ToLower(f.Search), limit+1)
	if err != nil {
		return nil, "", database.Translate(ctx, err)
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
