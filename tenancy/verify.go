package tenancy

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"usher/fault"
	"usher/principal"
	"usher/quota"
	"usher/tenancy/database"
)

// refusal is all that a caller learns about a token that is not accepted.
const refusal = "the token is missing or not accepted"

// Why a token was refused, for the log; errors.Is finds them in what
// Authenticate returns.
var (
	ErrUnknown  = errors.New("the store has made no such token")
	ErrRevoked  = errors.New("the token is revoked")
	ErrExpired  = errors.New("the token has expired")
	ErrIdle     = errors.New("the token was not used for too long")
	ErrTenant   = errors.New("the tenant is unknown, suspended or deleted")
	ErrNoTenant = errors.New("there is no such tenant")
	// ErrForeignKey is that an id is the key, or an external id, of a tenant with another id.
	ErrForeignKey = errors.New("the id is the key or an external id of another tenant")
	ErrDisabled   = errors.New("the user is disabled or deleted")
)

// verified is what is remembered of a token whose secret was right.
type verified struct {
	principal  principal.Principal // without what the tenant's record says
	rights     int64               // generation of users and roles it was read at
	inactivity time.Duration
	rate       rate
	used       atomic.Int64 // last use, in microseconds
	noted      atomic.Int64 // last use that was given to be written
}

// Authenticate verifies the text of an opaque token. The principal shares its
// lists and maps with other requests that show the same token: they are
// read-only. Whatever is wrong with the token, the answer is the same.
func (s *Store) Authenticate(ctx context.Context, raw string) (principal.Principal, error) {
	o, ok := parseOpaque(raw)
	if !ok {
		return principal.Principal{}, refuse(ErrUnknown)
	}
	if err := s.Ready(); err != nil {
		return principal.Principal{}, err
	}
	v, err := s.verify(ctx, o)
	if err != nil {
		return principal.Principal{}, err
	}
	p := v.principal
	if err := s.stillValid(p); err != nil {
		return principal.Principal{}, err
	}
	if !p.AllTenants {
		if p.TenantKey, p.Routing, err = s.Tenant(ctx, p.Tenant); err != nil {
			return principal.Principal{}, err
		}
	}
	if err := s.allow(ctx, v); err != nil {
		return principal.Principal{}, err
	}
	s.touch(v)
	return p, nil
}

func refuse(cause error) error {
	return fault.New(fault.Unauthenticated, refusal).Because(cause)
}

// stillValid compares what changes while a token is remembered: time and
// revocations.
func (s *Store) stillValid(p principal.Principal) error {
	if !p.Expires.IsZero() && !s.now().Before(p.Expires) {
		return refuse(ErrExpired)
	}
	if s.revocations.revoked(p) {
		return refuse(ErrRevoked)
	}
	return nil
}

// Revoked tells whether a revocation fits a principal, of a trusted
// issuer too. It looks into memory only; Ready tells whether that is up to date.
func (s *Store) Revoked(p principal.Principal) bool { return s.revocations.revoked(p) }

// verify finds what the token says: in memory, as long as it cannot have
// changed, or in the store.
func (s *Store) verify(ctx context.Context, o opaque) (*verified, error) {
	digest := sha256.Sum256([]byte(o.text()))
	if v, ok := s.verified.Get(digest); ok && v.rights == s.rights.Load() && !s.idle(v) {
		return v, nil
	}
	v, err := s.read(ctx, o)
	if err != nil {
		s.verified.Forget(digest)
		return nil, err
	}
	s.verified.Add(digest, v, 1)
	return v, nil
}

// read verifies the token against the store.
func (s *Store) read(ctx context.Context, o opaque) (*verified, error) {
	rights := s.rights.Load() // before what it is about
	var row tokenRow
	err := s.db.Get(ctx, &row, "SELECT "+tokenColumns+" FROM store.tokens WHERE id = $1", o.id)
	if database.Missing(err) {
		return nil, refuse(ErrUnknown)
	}
	if err != nil {
		return nil, database.Translate(ctx, err)
	}
	switch {
	case row.Kind != o.kind || !o.matches(row.Hash):
		return nil, refuse(ErrUnknown)
	case row.Revoked != 0:
		return nil, refuse(ErrRevoked)
	case row.expired(s.now()):
		return nil, refuse(ErrExpired)
	}
	v, err := s.remembered(ctx, row)
	if err != nil {
		return nil, err
	}
	v.rights = rights
	if s.idle(v) {
		return nil, refuse(ErrIdle)
	}
	return v, nil
}

func (s *Store) remembered(ctx context.Context, row tokenRow) (*verified, error) {
	b, err := readBody(row.Body)
	if err != nil {
		return nil, err
	}
	grant, err := b.grant()
	if err != nil {
		return nil, err
	}
	if grant.Accounts, err = s.sealer.openAccounts(row.Accounts, tokenRowName(row.ID)); err != nil {
		return nil, err
	}
	v := &verified{
		principal: principal.Principal{
			Subject: row.Subject, Name: b.Name, Email: b.Email, Issuer: Issuer, TokenID: row.ID, Kind: row.Kind, Tenant: row.Tenant, AllTenants: b.AllTenants, Roles: b.Roles,
			Scopes: b.Scopes, Acting: b.Acting, Grant: grant, Allowances: b.allowances(""), Issued: moment(row.Created), Expires: moment(row.Expires),
		},
		inactivity: time.Duration(row.Inactivity) * time.Microsecond,
		rate:       b.rate(),
	}
	if row.UserID != "" {
		if err := s.readRights(ctx, &v.principal, row.UserID); err != nil {
			return nil, err
		}
	}
	if err := readOwnRoles(&v.principal, func(rows *[]roleRow, tenant string) error {
		return s.db.List(ctx, rows, ownRoles, tenant)
	}); err != nil {
		return nil, database.Translate(ctx, err)
	}
	v.used.Store(max(row.Created, row.Used))
	v.noted.Store(row.Used)
	return v, nil
}

// readRights gives a session the rights that its user has now.
func (s *Store) readRights(ctx context.Context, p *principal.Principal, user string) error {
	var row struct {
		Status Status `db:"status"`
		Name   string `db:"name"`
		Email  string `db:"email"`
		Roles  string `db:"roles"`
		Scopes string `db:"scopes"`
	}
	err := s.db.Get(ctx, &row, "SELECT status, name, email, roles, scopes FROM store.users WHERE id = $1", user)
	if database.Missing(err) || err == nil && row.Status != Active {
		return refuse(ErrDisabled)
	}
	if err != nil {
		return database.Translate(ctx, err)
	}
	if err := errors.Join(json.Unmarshal([]byte(row.Roles), &p.Roles), json.Unmarshal([]byte(row.Scopes), &p.Scopes)); err != nil {
		return fault.New(fault.Internal, "a user in the control store cannot be read").Because(err)
	}
	p.Name, p.Email = row.Name, row.Email
	return nil
}

func (s *Store) idle(v *verified) bool {
	return v.inactivity > 0 && s.now().Sub(moment(v.used.Load())) > v.inactivity
}

// allow takes one request from what the token may ask in a minute, at all gateways, and from what each
// of those may that it is made with.
func (s *Store) allow(ctx context.Context, v *verified) error {
	if v.rate.own == 0 {
		return nil
	}
	var room [4]quota.Holder
	holders := room[:0]
	add := func(token string, rate int) {
		holders = append(holders, quota.Holder{Of: quota.Token, Name: [3]string{token, "rate"}, Limits: quota.Limits{quota.Requests: int64(rate)}})
	}
	if v.rate.counts() {
		add(v.principal.TokenID, v.rate.own)
	}
	for _, other := range v.rate.of {
		add(other.Token, other.Rate)
	}
	return s.budgets.Take(ctx, holders...)
}
