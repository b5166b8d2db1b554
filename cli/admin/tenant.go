package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"usher/cli/term"
)

// TenantCommands are those of `usher tenant`.
type TenantCommands struct {
	Create  tenantCreate  `cmd:"" help:"Register a tenant."`
	List    tenantList    `cmd:"" help:"List the tenants."`
	Show    tenantShow    `cmd:"" help:"Show one tenant."`
	Rename  tenantRename  `cmd:"" help:"Change a tenant's name."`
	Suspend tenantSuspend `cmd:"" help:"Stop every token of a tenant, until it is resumed."`
	Resume  tenantResume  `cmd:"" help:"End a suspension."`
	Delete  tenantDelete  `cmd:"" help:"End a tenant for ever, with its users, roles, saved queries and tokens."`
}

type tenantAnswer struct {
	ID       string          `json:"id"`
	Key      string          `json:"key"`
	Name     string          `json:"name"`
	Status   string          `json:"status"`
	Strategy *string         `json:"strategy"`
	Accounts []accountAnswer `json:"accounts"`
	Created  string          `json:"createdAt"`
	Changed  string          `json:"changedAt"`
}

type accountAnswer struct {
	Source string   `json:"source"`
	Set    []string `json:"set"`
}

const tenantFields = `{ id key name status strategy accounts { source set } createdAt changedAt }`

func (t tenantAnswer) text(w io.Writer) {
	row(w, "id", t.ID)
	row(w, "key", t.Key)
	row(w, "name", t.Name)
	row(w, "status", strings.ToLower(t.Status))
	row(w, "strategy", dash(t.Strategy))
	for _, a := range t.Accounts {
		row(w, "account", a.Source+": "+strings.Join(a.Set, ", "))
	}
	row(w, "created", t.Created)
	row(w, "changed", t.Changed)
}

// changed asks for a change of a tenant and prints what it has become.
func (r remote) changed(ctx context.Context, s *term.IO, mutation string, v variables) error {
	var got struct{ Tenant tenantAnswer }
	if err := r.administer(ctx, s, mutation, v, &got); err != nil {
		return err
	}
	return r.show(s, got.Tenant, got.Tenant.text)
}

type tenantCreate struct {
	remote
	ID       string `arg:"" help:"Letters a to z, digits, - and _; given once."`
	Key      string `help:"The value in tenant columns, if it is not the id." placeholder:"KEY"`
	Name     string `help:"For people."`
	Strategy string `help:"By which its data is reached, if not by the configuration's default."`
	Accounts string `help:"File with accounts of its own, as JSON: [{\"source\": \"silo\", \"user\": …, \"password\": …}]." placeholder:"FILE"`
}

// Run registers the tenant.
func (c tenantCreate) Run(ctx context.Context, s *term.IO) error {
	input := variables{"id": c.ID}
	input.set("key", c.Key)
	input.set("name", c.Name)
	input.set("strategy", c.Strategy)
	if err := readAccounts(c.Accounts, input); err != nil {
		return err
	}
	return c.changed(ctx, s, `mutation($input: NewTenant!) { admin { tenant: createTenant(input: $input) `+tenantFields+` } }`, variables{"input": input})
}

// readAccounts puts the accounts of a file into an input: credentials are no
// arguments, which others could see.
func readAccounts(file string, input variables) error {
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("cannot read the accounts: %w", err)
	}
	var accounts []map[string]any
	if err := json.Unmarshal(text, &accounts); err != nil {
		return fmt.Errorf("%s does not hold a JSON list of accounts", file)
	}
	input["accounts"] = accounts
	return nil
}

type tenantList struct {
	remote
	paging
	Search string `help:"Occurs in the id or the name." placeholder:"TEXT"`
}

// Run lists the tenants.
func (c tenantList) Run(ctx context.Context, s *term.IO) error {
	v := c.variables()
	v.set("search", c.Search)
	var got struct {
		Tenants struct {
			Items []tenantAnswer `json:"items"`
			Next  *string        `json:"next"`
		}
	}
	document := `query($search: String, $after: String, $limit: Int!) { admin { tenants(search: $search, after: $after, limit: $limit) { items ` + tenantFields + ` next } } }`
	if err := c.administer(ctx, s, document, v, &got); err != nil {
		return err
	}
	defer more(s, got.Tenants.Next)
	return c.show(s, got.Tenants, func(w io.Writer) {
		row(w, "ID", "KEY", "NAME", "STATUS", "STRATEGY")
		for _, t := range got.Tenants.Items {
			row(w, t.ID, t.Key, t.Name, strings.ToLower(t.Status), dash(t.Strategy))
		}
	})
}

type tenantShow struct {
	remote
	ID string `arg:"" help:"The tenant."`
}

// Run shows the tenant.
func (c tenantShow) Run(ctx context.Context, s *term.IO) error {
	var got struct{ Tenant *tenantAnswer }
	if err := c.administer(ctx, s, `query($id: String!) { admin { tenant(id: $id) `+tenantFields+` } }`, variables{"id": c.ID}, &got); err != nil {
		return err
	}
	if got.Tenant == nil {
		return fmt.Errorf("there is no tenant %s", c.ID)
	}
	return c.show(s, got.Tenant, got.Tenant.text)
}

type tenantRename struct {
	remote
	ID   string `arg:"" help:"The tenant."`
	Name string `arg:"" help:"Its name from now on."`
}

// Run renames the tenant.
func (c tenantRename) Run(ctx context.Context, s *term.IO) error {
	return c.changed(ctx, s, `mutation($id: String!, $name: String!) { admin { tenant: renameTenant(id: $id, name: $name) `+tenantFields+` } }`,
		variables{"id": c.ID, "name": c.Name})
}

type tenantSuspend struct {
	remote
	ID string `arg:"" help:"The tenant."`
}

// Run suspends the tenant.
func (c tenantSuspend) Run(ctx context.Context, s *term.IO) error {
	return c.changed(ctx, s, `mutation($id: String!) { admin { tenant: suspendTenant(id: $id) `+tenantFields+` } }`, variables{"id": c.ID})
}

type tenantResume struct {
	remote
	ID string `arg:"" help:"The tenant."`
}

// Run resumes the tenant.
func (c tenantResume) Run(ctx context.Context, s *term.IO) error {
	return c.changed(ctx, s, `mutation($id: String!) { admin { tenant: resumeTenant(id: $id) `+tenantFields+` } }`, variables{"id": c.ID})
}

type tenantDelete struct {
	remote
	ID      string `arg:"" help:"The tenant."`
	Confirm string `required:"" help:"The tenant's id again: there is no way back." placeholder:"ID"`
}

// Run deletes the tenant.
func (c tenantDelete) Run(ctx context.Context, s *term.IO) error {
	if c.Confirm != c.ID {
		return fmt.Errorf("--confirm %s is not the tenant %s: nothing was deleted", c.Confirm, c.ID)
	}
	return c.changed(ctx, s, `mutation($id: String!) { admin { tenant: deleteTenant(id: $id) `+tenantFields+` } }`, variables{"id": c.ID})
}
