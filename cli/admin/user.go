package admin

import (
	"context"
	"fmt"
	"io"
	"strings"

	"usher/cli/term"
)

// UserCommands are those of `usher user`.
type UserCommands struct {
	Create   userCreate   `cmd:"" help:"Make a user, who logs in with a password."`
	List     userList     `cmd:"" help:"List the users of a tenant."`
	Disable  userDisable  `cmd:"" help:"Keep a user out, and end their sessions."`
	Enable   userEnable   `cmd:"" help:"Let a user in again."`
	Password userPassword `cmd:"" help:"Give a user another password, and end their sessions."`
	Delete   userDelete   `cmd:"" help:"Delete a user."`
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
}

const userFields = `{ tenant username name email status roles scopes createdAt changedAt }`

func (u userAnswer) text(w io.Writer) {
	row(w, "tenant", dash(u.Tenant))
	row(w, "username", u.Username)
	row(w, "name", dash(u.Name))
	row(w, "email", dash(u.Email))
	row(w, "status", strings.ToLower(u.Status))
	row(w, "roles", strings.Join(u.Roles, ", "))
	row(w, "scopes", scopeTexts(u.Scopes))
}

// changedUser asks for a change of a user and prints what they have become.
func (r remote) changedUser(ctx context.Context, s *term.IO, mutation string, v variables) error {
	var got struct{ User userAnswer }
	if err := r.administer(ctx, s, mutation, v, &got); err != nil {
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
	Scope         []string `enum:"tokens:create,data:read,data:write,admin,explain" default:"data:read" help:"tokens:create, data:read, data:write, admin or explain; may be repeated (${default})."`
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
	return c.changedUser(ctx, s, `mutation($input: NewUser!) { admin { user: createUser(input: $input) `+userFields+` } }`, variables{"input": input})
}

// scopes have other names in GraphQL, where a colon is in none.
var scopes = [][2]string{
	{"tokens:create", "CREATE_TOKENS"},
	{"data:read", "READ_DATA"},
	{"data:write", "WRITE_DATA"},
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
	Tenant string `help:"Whose users; else of the key's tenant or, if it is for all tenants, those of none." placeholder:"TENANT"`
}

// Run lists the users.
func (c userList) Run(ctx context.Context, s *term.IO) error {
	v := c.variables()
	v.set("tenant", c.Tenant)
	var got struct {
		Users struct {
			Items []userAnswer `json:"items"`
			Next  *string      `json:"next"`
		}
	}
	document := `query($tenant: String, $after: String, $limit: Int!) { admin { users(tenant: $tenant, after: $after, limit: $limit) { items ` + userFields + ` next } } }`
	if err := c.administer(ctx, s, document, v, &got); err != nil {
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

// setStatus lets a user in, or out.
func (p person) setStatus(ctx context.Context, r remote, s *term.IO, status string) error {
	definitions, arguments := p.document()
	v := p.variables()
	v["status"] = status
	return r.changedUser(ctx, s, `mutation(`+definitions+`, $status: UserStatus!) {
		admin { user: setUserStatus(`+arguments+`, status: $status) `+userFields+` } }`, v)
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
	return c.changedUser(ctx, s, `mutation(`+definitions+`, $password: String!) {
		admin { user: setPassword(`+arguments+`, password: $password) `+userFields+` } }`, v)
}

type userDelete struct {
	remote
	person
}

// Run deletes the user.
func (c userDelete) Run(ctx context.Context, s *term.IO) error {
	var got struct {
		Deleted bool `json:"deleted"`
	}
	definitions, arguments := c.document()
	err := c.administer(ctx, s, `mutation(`+definitions+`) { admin { deleted: deleteUser(`+arguments+`) } }`, c.variables(), &got)
	if err != nil {
		return err
	}
	return c.show(s, got, func(w io.Writer) { fmt.Fprintf(w, "deleted: %s\n", c.Username) })
}
