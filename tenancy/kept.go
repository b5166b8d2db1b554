package tenancy

import (
	"context"
	"fmt"
	"iter"

	"usher/dashboard"
	"usher/fault"
	"usher/principal"
	"usher/query"
	"usher/tenancy/database"
)

// Reader looks at all that a store keeps, for whoever runs the gateway, and changes nothing of it.
type Reader struct{ store *Store }

// The reasons why there is nothing to look at.
var (
	ErrNone  = database.ErrNone
	ErrOlder = database.ErrOlder
	ErrInUse = database.ErrInUse
)

// Read opens a store to be looked at. One in a file is looked at while no other program has it.
func Read(ctx context.Context, spec database.Spec, opts Options) (*Reader, error) {
	opts = opts.withDefaults()
	sealer, err := newSealer(opts.Key, opts.OldKeys)
	if err != nil {
		return nil, fault.New(fault.Internal, "the control store's key cannot be used: %s", err)
	}
	s := &Store{opts: opts, sealer: sealer, clock: clock{machine: opts.Machine}}
	if s.db, err = database.OpenToRead(ctx, spec, opts.Log); err != nil {
		return nil, err
	}
	return &Reader{s}, nil
}

// Close ends the looking.
func (r *Reader) Close() error { return r.store.db.Close() }

// SameKeys refuses keys that are not those which the store was used with.
func (r *Reader) SameKeys(ctx context.Context) error {
	return database.Translate(ctx, r.store.sameKeys(ctx))
}

// Taken are those of the names that are a tenant's already.
func (r *Reader) Taken(ctx context.Context, names ...string) (map[string]bool, error) {
	return r.store.Taken(ctx, names...)
}

// Routings are the records of all tenants that are not deleted.
func (r *Reader) Routings(ctx context.Context) iter.Seq2[principal.Principal, error] {
	return r.store.Routings(ctx)
}

// Roles are the roles that tenants own.
func (r *Reader) Roles(ctx context.Context) iter.Seq2[Role, error] {
	return func(yield func(Role, error) bool) {
		for row, err := range pages(r.store.lister(ctx), "SELECT tenant, name, spec, created_at, changed_at FROM store.roles WHERE tenant > $1 OR tenant = $1 AND name > $2 ORDER BY tenant, name LIMIT $3",
			func(row roleRow) []any { return []any{row.Tenant, row.Name} }, "", "") {
			if !yield(row.role(), err) {
				return
			}
		}
	}
}

// Holder is somebody, or a program, who holds rights.
type Holder struct {
	principal.Principal // without what the tenant's record says

	What     string // who it is, in words
	MayGrant MayGrant
}

// Holders are the users who are not disabled, and the keys and tokens that live. A session's rights are its user's.
func (r *Reader) Holders(ctx context.Context) iter.Seq2[Holder, error] {
	return func(yield func(Holder, error) bool) {
		for row, err := range pages(r.store.lister(ctx), "SELECT "+userColumns+" FROM store.users WHERE id > $1 AND status = $2 ORDER BY id LIMIT $3",
			func(row userRow) []any { return []any{row.ID, string(Active)} }, "", string(Active)) {
			h, err := r.user(ctx, row, err)
			if !yield(h, err) || err != nil {
				return
			}
		}
		now := micros(r.store.now())
		for row, err := range pages(r.store.lister(ctx), "SELECT "+tokenColumns+` FROM store.tokens
			WHERE id > $1 AND kind <> $2 AND revoked_at = 0 AND (expires_at = 0 OR expires_at > $3) ORDER BY id LIMIT $4`,
			func(row tokenRow) []any { return []any{row.ID, string(Session), now} }, "", string(Session), now) {
			h, err := r.token(ctx, row, err)
			if !yield(h, err) || err != nil {
				return
			}
		}
	}
}

func (r *Reader) user(ctx context.Context, row userRow, err error) (Holder, error) {
	if err != nil {
		return Holder{}, err
	}
	u, err := row.user()
	if err != nil {
		return Holder{}, err
	}
	h := Holder{What: "user " + u.Username, Principal: principal.Principal{
		Subject: u.ID, Issuer: Issuer, Tenant: u.Tenant, AllTenants: u.Tenant == "", Roles: u.Roles, Scopes: u.Scopes,
	}}
	return h, readOwnRoles(&h.Principal, func(rows *[]roleRow, tenant string) error { return r.store.lister(ctx)(rows, ownRoles, tenant) })
}

func (r *Reader) token(ctx context.Context, row tokenRow, err error) (Holder, error) {
	if err != nil {
		return Holder{}, err
	}
	b, err := readBody(row.Body)
	if err != nil {
		return Holder{}, err
	}
	v, err := r.store.remembered(ctx, row)
	if err != nil {
		return Holder{}, err
	}
	what := fmt.Sprintf("token %s of %s", row.ID, row.Subject)
	if row.Kind == ServiceKey {
		what = fmt.Sprintf("key %s (%s)", row.Name, row.ID)
	}
	return Holder{What: what, Principal: v.principal, MayGrant: b.MayGrant}, nil
}

// SavedQueries are those that others run than who has written them: the tenants' own, and the shared ones.
func (r *Reader) SavedQueries(ctx context.Context) iter.Seq2[SavedQuery, error] {
	return func(yield func(SavedQuery, error) bool) {
		for row, err := range pages(r.store.lister(ctx), "SELECT "+savedColumns+" FROM store.saved WHERE id > $1 AND (owner = '' OR shared) ORDER BY id LIMIT $2",
			func(row savedRow) []any { return []any{row.ID} }, "") {
			if !yield(row.query(principal.Principal{}), err) {
				return
			}
		}
	}
}

// KeptDashboard is a dashboard, and whose it is.
type KeptDashboard struct {
	Tenant   string // empty: of those who administer all
	Name     string
	Document dashboard.Document
	Err      error // it cannot be read
}

// Dashboards are all that there are.
func (r *Reader) Dashboards(ctx context.Context) iter.Seq2[KeptDashboard, error] {
	return func(yield func(KeptDashboard, error) bool) {
		for row, err := range pages(r.store.lister(ctx), "SELECT "+dashboardColumns+" FROM store.dashboards WHERE tenant > $1 OR tenant = $1 AND name > $2 ORDER BY tenant, name LIMIT $3",
			func(row dashboardRow) []any { return []any{row.Tenant, row.Name} }, "", "") {
			d := KeptDashboard{Tenant: row.Tenant, Name: row.Name}
			if err == nil {
				d.Document, d.Err = row.document()
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// document is what the row says.
func (r dashboardRow) document() (dashboard.Document, error) {
	v, err := query.ReadJSON([]byte(r.Document))
	if err != nil {
		return dashboard.Document{}, err
	}
	return dashboard.Parse(v)
}
