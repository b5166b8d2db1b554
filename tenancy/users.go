package tenancy

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"golang.org/x/text/secure/precis"

	"usher/fault"
	"usher/principal"
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

// canonical is the one form of a username, by RFC 8265: lower case, composed,
// without spaces, control characters and the like. A name that has none, or
// whose form has another form itself, is refused.
func canonical(username string) (string, error) {
	name, err := precis.UsernameCaseMapped.String(username)
	if err != nil || name == "" || len(name) > maxName {
		return "", unusable("the username cannot be used: it must be letters, digits and marks of ASCII, without spaces")
	}
	if again, err := precis.UsernameCaseMapped.String(name); err != nil || again != name {
		return "", unusable("the username is ambiguous")
	}
	return name, nil
}

// separator stands between tenant and username where one text says both. No
// tenant's id has it, so the first one separates.
const separator = "|"

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
		row := userRow{
			ID: newID(), Tenant: n.Tenant, Username: username, Name: n.Name, Email: n.Email, Password: hash, Status: Active,
			Roles: names(n.Roles), Scopes: names(n.Scopes), Created: micros(t.now), Changed: micros(t.now),
		}
		_, err = t.exec("INSERT INTO store.users ("+userColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
			row.ID, row.Tenant, row.Username, row.Name, row.Email, row.Password, string(row.Status), row.Roles, row.Scopes, row.Created, row.Changed)
		if duplicate(err) {
			return fault.New(fault.Conflict, "there is a user of that name")
		}
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
	if username, err = canonical(n.Username); err != nil {
		return "", "", err
	}
	if n.Tenant == "" && strings.Contains(username, separator) {
		return "", "", unusable("the name of a user of no tenant must not hold %q", separator)
	}
	for _, err := range []error{checkLine("the name", n.Name, maxName), checkLine("the email address", n.Email, maxName)} {
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
		err = t.get(&row, "SELECT "+userColumns+" FROM store.users WHERE tenant = $1 AND username = $2", tenant, name)
		if missing(err) {
			err = notFound("there is no such user")
		}
	}
	return row, err
}

// Users lists a tenant's users by name; without a tenant, those of none.
func (s *Store) Users(ctx context.Context, p principal.Principal, tenant string, page Page) (users []User, next string, err error) {
	if err := mayAdminister(p, tenant); err != nil {
		return nil, "", err
	}
	limit, err := page.limit()
	if err == nil {
		err = s.knownTenant(ctx, p, tenant)
	}
	if err != nil {
		return nil, "", err
	}
	var rows []userRow
	err = s.list(ctx, &rows, "SELECT "+userColumns+" FROM store.users WHERE tenant = $1 AND username > $2 ORDER BY username LIMIT $3",
		tenant, page.After, limit+1)
	if err != nil {
		return nil, "", translate(ctx, err)
	}
	rows, next = cut(rows, limit, func(r userRow) string { return r.Username })
	for _, row := range rows {
		user, err := row.user()
		if err != nil {
			return nil, "", err
		}
		users = append(users, user)
	}
	return users, next, nil
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
	err = s.get(ctx, &row, "SELECT "+userColumns+" FROM store.users WHERE tenant = $1 AND username = $2", tenant, name)
	if missing(err) {
		return User{}, notFound("there is no such user")
	}
	if err != nil {
		return User{}, translate(ctx, err)
	}
	return row.user()
}
