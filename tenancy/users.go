package tenancy

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"usher/fault"
	"usher/principal"
	"usher/tenancy/database"
)

// User is a person who logs in. Tenant and name together are who they are,
// for ever; neither is ever glued to the other.
type User struct {
	ID       string
	Tenant   string // empty: of no tenant, but with the right to all
	Username string
	Name     string // shown only
	Email    string // shown only
	Status   Status // Active or Disabled
	Roles    []string
	Scopes   []principal.Scope
	Created  time.Time
	Changed  time.Time

	LockedUntil time.Time // after failed attempts to log in; zero: no wait
}

// NewUser is what a user begins with.
type NewUser struct {
	Tenant   string // empty: a user with the right to all tenants
	Username string
	Password string
	Name     string
	Email    string
	Roles    []string
	Scopes   []principal.Scope // default: data:read
}

type userRow struct {
	ID       string `db:"id"`
	Tenant   string `db:"tenant"`
	Username string `db:"username"`
	Name     string `db:"name"`
	Email    string `db:"email"`
	Password string `db:"password"`
	Status   Status `db:"status"`
	Roles    string `db:"roles"`
	Scopes   string `db:"scopes"`
	Created  int64  `db:"created_at"`
	Changed  int64  `db:"changed_at"`
}

const userColumns = "id, tenant, username, name, email, password, status, roles, scopes, created_at, changed_at"

func (r userRow) user() (User, error) {
	u := User{
		ID: r.ID, Tenant: r.Tenant, Username: r.Username, Name: r.Name, Email: r.Email, Status: r.Status,
		Created: moment(r.Created), Changed: moment(r.Changed),
	}
	if err := json.Unmarshal([]byte(r.Roles), &u.Roles); err != nil {
		return User{}, fault.New(fault.Internal, "a user in the control store cannot be read").Because(err)
	}
	if err := json.Unmarshal([]byte(r.Scopes), &u.Scopes); err != nil {
		return User{}, fault.New(fault.Internal, "a user in the control store cannot be read").Because(err)
	}
	return u, nil
}

// separator stands between tenant and username where one text says both. No
// tenant's id has it, so the first one separates.
const separator = "|"

// splitLogin is the tenant and the name of a text that may say both. Who is of no
// tenant has no separator in their name.
func splitLogin(text string) (tenant, username string) {
	if before, after, found := strings.Cut(text, separator); found {
		return before, after
	}
	return "", text
}

// CreateUser makes a user of a tenant, or one with the right to all tenants.
func (s *Store) CreateUser(ctx context.Context, p principal.Principal, n NewUser) (User, error) {
	if n.Scopes == nil {
		n.Scopes = []principal.Scope{principal.ReadData}
	}
	a := act{operation: "createUser", tenant: n.Tenant, detail: n.Username}
	username, hash, err := s.prepareUser(ctx, p, a, n)
	if err != nil {
		return User{}, s.refused(p, a, err)
	}
	var made User
	err = s.administer(ctx, p, a, func(t *tx) error {
		if err := t.checkRights(p, n.Tenant, username, n.Roles, n.Scopes); err != nil {
			return err
		}
		if err := t.unlikeOthers(n.Tenant, username); err != nil {
			return err
		}
		row := userRow{
			ID: newID(), Tenant: n.Tenant, Username: username, Name: n.Name, Email: n.Email, Password: hash, Status: Active,
			Roles: names(n.Roles), Scopes: names(n.Scopes), Created: micros(t.now), Changed: micros(t.now),
		}
		_, err = t.Exec("INSERT INTO store.users ("+userColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
			row.ID, row.Tenant, row.Username, row.Name, row.Email, row.Password, string(row.Status), row.Roles, row.Scopes, row.Created, row.Changed)
		if err != nil {
			return err
		}
		made, err = row.user()
		return err
	})
	return made, err
}

// prepareUser does what needs no transaction, for who may do it at all.
func (s *Store) prepareUser(ctx context.Context, p principal.Principal, a act, n NewUser) (username, hash string, err error) {
	if err := a.allowed(p); err != nil {
		return "", "", err
	}
	if username, err = newUsername(n.Username); err != nil {
		return "", "", err
	}
	if n.Tenant != "" && strings.HasPrefix(username, n.Tenant+separator) {
		return "", "", unusable("a username must not begin with its tenant and %q: leave that out, they log in with it all the same", separator)
	}
	if n.Tenant == "" && strings.Contains(username, separator) {
		return "", "", unusable("the name of a user of no tenant must not hold %q", separator)
	}
	for _, err := range []error{checkShown("the name", n.Name), checkShown("the email address", n.Email)} {
		if err != nil {
			return "", "", err
		}
	}
	hash, err = s.newPassword(ctx, username, n.Password)
	return username, hash, err
}

// names writes a list of names as it is stored.
func names[T ~string](all []T) string {
	if all == nil {
		all = []T{}
	}
	text, _ := json.Marshal(all) // of strings it never fails
	return string(text)
}

// checkRights judges the rights a user shall have: by themselves, by who gives
// them, and by the catalog.
func (t *tx) checkRights(p principal.Principal, tenant, subject string, roles []string, scopes []principal.Scope) error {
	for _, err := range []error{checkNames("role", roles), checkScopes(scopes), unrestricted(p)} {
		if err != nil {
			return err
		}
	}
	user := principal.Principal{Subject: subject, Issuer: Issuer, Tenant: tenant, AllTenants: tenant == "", Roles: roles, Scopes: scopes}
	var owned []string
	if tenant != "" {
		record, err := t.activeTenant(tenant)
		if err != nil {
			return err
		}
		if user.Routing, err = t.store.routing(record); err != nil {
			return err
		}
		user.TenantKey = record.Key
		if owned, err = t.ownedRoles(tenant); err != nil {
			return err
		}
	}
	if err := coversRights(p, roles, scopes, owned); err != nil {
		return err
	}
	if err := t.ownRoles(&user); err != nil {
		return err
	}
	return t.store.opts.Check(user)
}

func (t *tx) user(tenant, username string) (userRow, error) {
	var row userRow
	name, err := canonical(username)
	if err == nil {
		err = t.Get(&row, "SELECT "+userColumns+" FROM store.users WHERE tenant = $1 AND username = $2", tenant, name)
		if database.Missing(err) {
			err = notFound("there is no such user")
		}
	}
	return row, err
}

// Login is the one text by which a user logs in.
func (u User) Login() string { return loginName(u.Tenant, u.Username) }

func loginName(tenant, username string) string {
	if tenant == "" {
		return username
	}
	return tenant + separator + username
}

// UserFilter says which users to list.
type UserFilter struct {
	Tenant     string // empty: those of none
	AllTenants bool   // those of all tenants and of none
	Search     string // occurs, in any case, in the username, name or e-mail address, or in the tenant's id or name
}

// Users lists the users of a tenant by name, or those of all by tenant and name.
func (s *Store) Users(ctx context.Context, p principal.Principal, f UserFilter, page Page) (users []User, next string, err error) {
	of := f.Tenant
	if f.AllTenants {
		of = everyTenant
	}
	if err := mayAdminister(p, of); err != nil {
		return nil, "", err
	}
	limit, err := page.limit()
	if err == nil {
		err = cmp.Or(checkSearch(f.Search), s.knownTenant(ctx, p, of))
	}
	if err != nil {
		return nil, "", err
	}
	afterTenant, after := f.Tenant, page.After
	if f.AllTenants {
		afterTenant, after = splitLogin(page.After)
	}
	var rows []userRow
	err = s.db.List(ctx, &rows, "SELECT "+userColumns+` FROM store.users
		WHERE ($1 OR tenant = $2) AND (tenant > $3 OR tenant = $3 AND username > $4)
			AND ($5 = '' OR strpos(username, $5) > 0 OR strpos(lower(name), $5) > 0 OR strpos(lower(email), $5) > 0 OR strpos(tenant, $5) > 0
				OR EXISTS (SELECT 1 FROM store.tenants t WHERE t.id = users.tenant AND strpos(lower(t.name), $5) > 0))
		ORDER BY tenant, username LIMIT $6`,
		f.AllTenants, f.Tenant, afterTenant, after, strings.ToLower(f.Search), limit+1)
	if err != nil {
		return nil, "", database.Translate(ctx, err)
	}
	rows, next = cut(rows, limit, func(r userRow) string {
		if f.AllTenants {
			return loginName(r.Tenant, r.Username)
		}
		return r.Username
	})
	for _, row := range rows {
		user, err := row.user()
		if err != nil {
			return nil, "", err
		}
		users = append(users, user)
	}
	return users, next, s.locked(ctx, users)
}

// GetUser returns a user of a tenant; without a tenant, one of none.
func (s *Store) GetUser(ctx context.Context, p principal.Principal, tenant, username string) (User, error) {
	if err := mayAdminister(p, tenant); err != nil {
		return User{}, err
	}
	name, err := canonical(username)
	if err != nil {
		return User{}, err
	}
	var row userRow
	err = s.db.Get(ctx, &row, "SELECT "+userColumns+" FROM store.users WHERE tenant = $1 AND username = $2", tenant, name)
	if database.Missing(err) {
		return User{}, notFound("there is no such user")
	}
	if err != nil {
		return User{}, database.Translate(ctx, err)
	}
	user, err := row.user()
	if err != nil {
		return User{}, err
	}
	found := []User{user}
	err = s.locked(ctx, found)
	return found[0], err
}
