package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"usher/cli/term"
)

// UserCommands are those of `usher user`.
type UserCommands struct {
	Create   userCreate   `cmd:"" help:"Make a user, who logs in with a password." example:"usher user create ann --tenant acme --role viewer --password-stdin"`
	List     userList     `cmd:"" help:"List the users of a tenant." example:"usher user list --tenant acme"`
	Show     userShow     `cmd:"" help:"Show one user." example:"usher user show ann --tenant acme"`
	Update   userUpdate   `cmd:"" help:"Replace a user's roles or scopes." example:"usher user update ann --tenant acme --role viewer --role clerk"`
	Profile  userProfile  `cmd:"" help:"Replace what is shown of a user." example:"usher user profile ann --tenant acme --name 'Ann Example' --email ann@acme.example"`
	Disable  userDisable  `cmd:"" help:"Keep a user out, and end their sessions." example:"usher user disable ann --tenant acme"`
	Enable   userEnable   `cmd:"" help:"Let a user in again." example:"usher user enable ann --tenant acme"`
	Password userPassword `cmd:"" help:"Give a user another password, and end their sessions." example:"usher user password ann --tenant acme --password-stdin"`
	Unlock   userUnlock   `cmd:"" help:"Forget a user's failed attempts to log in." example:"usher user unlock ann --tenant acme"`
	Logout   userLogout   `cmd:"" help:"End all sessions of a user." example:"usher user logout ann --tenant acme"`
	Delete   userDelete   `cmd:"" help:"Delete a user." example:"usher user delete ann --tenant acme"`
}

// person names a user.
type person struct {
	Tenant   string `help:"Whose user it is; else of the key's tenant or, if it is for all tenants, of none." placeholder:"TENANT"`
	Username string `arg:"" help:"Who logs in."`
}

func (p person) variables() variables {
	v := variables{"username": p.Username}
	v.set("tenant", p.Tenant)
	return v
}

// document is how a mutation names who they are: it leaves out a tenant that is
// not said.
func (p person) document() (definitions, arguments string) {
	if p.Tenant == "" {
		return "$username: String!", "username: $username"
	}
	return "$tenant: String!, $username: String!", "tenant: $tenant, username: $username"
}

type userAnswer struct {
	Tenant   *string  `json:"tenant"`
	Username string   `json:"username"`
	Name     *string  `json:"name"`
	Email    *string  `json:"email"`
	Status   string   `json:"status"`
	Roles    []string `json:"roles"`
	Scopes   []string `json:"scopes"`
	Created  string   `json:"createdAt"`
	Changed  string   `json:"changedAt"`

	LockedUntil *string `json:"lockedUntil"`
}

const userFields = `{ tenant username name email status lockedUntil roles scopes createdAt changedAt }`

func (u userAnswer) text(w io.Writer) {
	row(w, "tenant", dash(u.Tenant))
	row(w, "username", u.Username)
	row(w, "name", dash(u.Name))
	row(w, "email", dash(u.Email))
	row(w, "status", strings.ToLower(u.Status))
	if u.LockedUntil != nil {
		row(w, "locked until", *u.LockedUntil)
	}
	row(w, "roles", strings.Join(u.Roles, ", "))
	row(w, "scopes", scopeTexts(u.Scopes))
}

// changedUser asks for a change of a user and prints what they have become.
func (r remote) changedUser(ctx context.Context, s *term.IO, definitions, change string, v variables) error {
	var got struct{ User userAnswer }
	if err := r.administer(ctx, s, mutation, definitions, "user: "+change+" "+userFields, v, &got); err != nil {
		return err
	}
	return r.show(s, got.User, got.User.text)
}

type userCreate struct {
	remote
	person
	AllTenants    bool     `help:"Of no tenant, and with the right to all."`
	Name          string   `help:"Shown only."`
	Email         string   `help:"Shown only."`
	Role          []string `sep:"none" help:"A role; may be repeated."`
	Scope         []string `enum:"tokens:create,data:read,data:write,data:export,admin,explain" default:"data:read" help:"tokens:create, data:read, data:write, data:export, admin or explain; may be repeated (${default})."`
	PasswordStdin bool     `help:"Read the password from the standard input, not from the terminal."`
}

// Run makes the user.
func (c userCreate) Run(ctx context.Context, s *term.IO) error {
	password, err := s.NewPassword(ctx, c.PasswordStdin)
	if err != nil {
		return err
	}
	input := c.person.variables()
	input["password"], input["allTenants"], input["scopes"] = password, c.AllTenants, scopeNames(c.Scope)
	input.set("name", c.Name)
	input.set("email", c.Email)
	input.list("roles", c.Role)
	return c.changedUser(ctx, s, "$input: NewUser!", "createUser(input: $input)", variables{"input": input})
}

// scopes have other names in GraphQL, where a colon is in none.
var scopes = [][2]string{
	{"tokens:create", "CREATE_TOKENS"},
	{"data:read", "READ_DATA"},
	{"data:write", "WRITE_DATA"},
	{"data:export", "EXPORT_DATA"},
	{"admin", "ADMINISTER"},
	{"explain", "EXPLAIN"},
}

func scopeNames(texts []string) []string {
	names := []string{}
	for _, text := range texts {
		for _, scope := range scopes {
			if scope[0] == text {
				names = append(names, scope[1])
			}
		}
	}
	return names
}

func scopeTexts(names []string) string {
	var texts []string
	for _, name := range names {
		for _, scope := range scopes {
			if scope[1] == name {
				texts = append(texts, scope[0])
			}
		}
	}
	return strings.Join(texts, ", ")
}

type userList struct {
	remote
	paging
	Tenant     string `help:"Whose users; else of the key's tenant or, if it is for all tenants, those of none." xor:"whose" placeholder:"TENANT"`
	AllTenants bool   `help:"Of all tenants and of none." xor:"whose"`
	Search     string `help:"Occurs in the username, name or e-mail address, or in the tenant's id or name." placeholder:"TEXT"`
}

// Run lists the users.
func (c userList) Run(ctx context.Context, s *term.IO) error {
	v := c.variables()
	v.set("tenant", c.Tenant)
	v.set("search", c.Search)
	v["allTenants"] = c.AllTenants
	var got struct {
		Users struct {
			Items []userAnswer `json:"items"`
			Next  *string      `json:"next"`
		}
	}
	if err := c.administer(ctx, s, query, "$tenant: String, $allTenants: Boolean!, $search: String, $after: String, $limit: Int!",
		`users(tenant: $tenant, allTenants: $allTenants, search: $search, after: $after, limit: $limit) { items `+userFields+` next }`, v, &got); err != nil {
		return err
	}
	defer more(s, got.Users.Next)
	return c.show(s, got.Users, func(w io.Writer) {
		row(w, "USERNAME", "TENANT", "NAME", "STATUS", "ROLES", "SCOPES")
		for _, u := range got.Users.Items {
			row(w, u.Username, dash(u.Tenant), dash(u.Name), strings.ToLower(u.Status), strings.Join(u.Roles, ","), scopeTexts(u.Scopes))
		}
	})
}

// find asks for the user.
func (p person) find(ctx context.Context, r remote, s *term.IO) (*userAnswer, error) {
	var got struct{ User *userAnswer }
	definitions, arguments := p.document()
	if err := r.administer(ctx, s, query, definitions, "user("+arguments+") "+userFields, p.variables(), &got); err != nil {
		return nil, err
	}
	if got.User == nil {
		return nil, fmt.Errorf("there is no user %s, or of another tenant: --tenant says of which", p.Username)
	}
	return got.User, nil
}

type userShow struct {
	remote
	person
}

// Run shows the user.
func (c userShow) Run(ctx context.Context, s *term.IO) error {
	u, err := c.find(ctx, c.remote, s)
	if err != nil {
		return err
	}
	return c.show(s, u, u.text)
}

type userUpdate struct {
	remote
	person
	Role    []string `sep:"none" xor:"roles" help:"A role from now on; may be repeated, and replaces all of them."`
	NoRoles bool     `xor:"roles" help:"Take all roles away."`
	Scope   []string `enum:"tokens:create,data:read,data:write,data:export,admin,explain" help:"tokens:create, data:read, data:write, data:export, admin or explain from now on; may be repeated, and replaces all of them."`
}

// Run replaces what is said, and leaves the rest as it is.
func (c userUpdate) Run(ctx context.Context, s *term.IO) error {
	if len(c.Role)+len(c.Scope) == 0 && !c.NoRoles {
		return errors.New("say what to change: --role, --no-roles or --scope")
	}
	u, err := c.find(ctx, c.remote, s)
	if err != nil {
		return err
	}
	v := c.variables()
	v["roles"], v["scopes"] = u.Roles, u.Scopes
	if len(c.Role) > 0 || c.NoRoles {
		v["roles"] = append([]string{}, c.Role...)
	}
	if len(c.Scope) > 0 {
		v["scopes"] = scopeNames(c.Scope)
	}
	definitions, arguments := c.document()
	return c.changedUser(ctx, s, definitions+", $roles: [String!]!, $scopes: [Scope!]!", "setUserRights("+arguments+", roles: $roles, scopes: $scopes)", v)
}

// setStatus lets a user in, or out.
func (p person) setStatus(ctx context.Context, r remote, s *term.IO, status string) error {
	definitions, arguments := p.document()
	v := p.variables()
	v["status"] = status
	return r.changedUser(ctx, s, definitions+", $status: UserStatus!", "setUserStatus("+arguments+", status: $status)", v)
}

type userProfile struct {
	remote
	person
	Name  string `help:"What people call them; left out: nothing."`
	Email string `help:"Their e-mail address; left out: none."`
}

// Run replaces what is shown.
func (c userProfile) Run(ctx context.Context, s *term.IO) error {
	definitions, arguments := c.document()
	v := c.person.variables()
	v["name"], v["email"] = c.Name, c.Email
	return c.changedUser(ctx, s, definitions+", $name: String!, $email: String!", "setUserProfile("+arguments+", name: $name, email: $email)", v)
}

type userDisable struct {
	remote
	person
}

// Run disables the user.
func (c userDisable) Run(ctx context.Context, s *term.IO) error {
	return c.person.setStatus(ctx, c.remote, s, "DISABLED")
}

type userEnable struct {
	remote
	person
}

// Run enables the user.
func (c userEnable) Run(ctx context.Context, s *term.IO) error {
	return c.person.setStatus(ctx, c.remote, s, "ACTIVE")
}

type userPassword struct {
	remote
	person
	PasswordStdin bool `help:"Read the password from the standard input, not from the terminal."`
}

// Run gives the user another password.
func (c userPassword) Run(ctx context.Context, s *term.IO) error {
	password, err := s.NewPassword(ctx, c.PasswordStdin)
	if err != nil {
		return err
	}
	v := c.variables()
	v["password"] = password
	definitions, arguments := c.document()
	return c.changedUser(ctx, s, definitions+", $password: String!", "setPassword("+arguments+", password: $password)", v)
}

type userUnlock struct {
	remote
	person
}

// Run lets the user try again at once.
func (c userUnlock) Run(ctx context.Context, s *term.IO) error {
	definitions, arguments := c.document()
	return c.changedUser(ctx, s, definitions, "unlockUser("+arguments+")", c.variables())
}

type userLogout struct {
	remote
	person
}

// Run ends the user's sessions.
func (c userLogout) Run(ctx context.Context, s *term.IO) error {
	definitions, arguments := c.document()
	return c.revoke(ctx, s, "", definitions, "endUserSessions("+arguments+")", c.variables())
}

type userDelete struct {
	remote
	person
}

// Run deletes the user.
func (c userDelete) Run(ctx context.Context, s *term.IO) error {
	var got deletedAnswer
	definitions, arguments := c.document()
	err := c.administer(ctx, s, mutation, definitions, "deleted: deleteUser("+arguments+")", c.variables(), &got)
	if err != nil {
		return err
	}
	return c.deleted(s, c.Username, got)
}
