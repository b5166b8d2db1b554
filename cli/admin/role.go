package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml"

	"usher/cli/term"
)

// RoleCommands are those of `usher role`.
type RoleCommands struct {
	Put    rolePut    `cmd:"" help:"Make or replace a role that a tenant owns. It restricts the roles of the configuration." example:"usher role put clerk --tenant acme --file clerk.yml"`
	List   roleList   `cmd:"" help:"List the roles that a tenant owns." example:"usher role list --tenant acme"`
	Show   roleShow   `cmd:"" help:"Show one role." example:"usher role show clerk --tenant acme"`
	Delete roleDelete `cmd:"" help:"Delete a role; who holds it keeps the name, which then stands for no right." example:"usher role delete clerk --tenant acme"`
}

// owner is whose role it is.
type owner struct {
	Tenant string `help:"Whose role it is; else of the key's tenant." placeholder:"TENANT"`
}

// document is how a field names the owner: not at all, if nobody said it.
func (o owner) document(v variables) (definition, argument string) {
	if o.Tenant == "" {
		return "", ""
	}
	v["tenant"] = o.Tenant
	return "$tenant: String!, ", "tenant: $tenant, "
}

type roleAnswer struct {
	Tenant    string          `json:"tenant"`
	Name      string          `json:"name"`
	Spec      json.RawMessage `json:"spec"`
	CreatedAt string          `json:"createdAt"`
	ChangedAt string          `json:"changedAt"`
}

const roleFields = `{ tenant name spec createdAt changedAt }`

func (a roleAnswer) text(w io.Writer) {
	row(w, "tenant", a.Tenant)
	row(w, "name", a.Name)
	row(w, "created", a.CreatedAt)
	row(w, "changed", a.ChangedAt)
	row(w, "spec", string(a.Spec))
}

type rolePut struct {
	remote
	owner
	Name string `arg:"" help:"The role."`
	File string `required:"" help:"File with the role as it is written in the configuration, in YAML or JSON: {datasets: {orders: {columns: [id]}}}." placeholder:"FILE"`
}

// Run keeps the role.
func (c rolePut) Run(ctx context.Context, s *term.IO) error {
	spec, err := readDocument(c.File)
	if err != nil {
		return err
	}
	v := variables{"name": c.Name, "spec": spec}
	definition, argument := c.document(v)
	var got struct{ Role roleAnswer }
	if err := c.administer(ctx, s, mutation, definition+"$name: String!, $spec: JSON!", "role: putRole("+argument+"name: $name, spec: $spec) "+roleFields, v, &got); err != nil {
		return err
	}
	return c.show(s, got.Role, got.Role.text)
}

// readDocument reads a file in JSON or YAML, as JSON.
func readDocument(file string) (json.RawMessage, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the file: %w", err)
	}
	document, err := jsonText(string(text))
	if err != nil {
		converted, err := yaml.YAMLToJSON(text)
		if err != nil {
			return nil, fmt.Errorf("%s is neither JSON nor YAML", file)
		}
		document = bytes.TrimSpace(converted)
	}
	return document, nil
}

func (o owner) list(ctx context.Context, r remote, s *term.IO) ([]roleAnswer, error) {
	var got struct{ Roles []roleAnswer }
	v := variables{}
	v.set("tenant", o.Tenant)
	err := r.administer(ctx, s, query, "$tenant: String", "roles(tenant: $tenant) "+roleFields, v, &got)
	return got.Roles, err
}

type roleList struct {
	remote
	owner
}

// Run lists the roles.
func (c roleList) Run(ctx context.Context, s *term.IO) error {
	roles, err := c.list(ctx, c.remote, s)
	if err != nil {
		return err
	}
	return c.show(s, roles, func(w io.Writer) {
		row(w, "NAME", "TENANT", "CREATED", "CHANGED")
		for _, a := range roles {
			row(w, a.Name, a.Tenant, a.CreatedAt, a.ChangedAt)
		}
	})
}

type roleShow struct {
	remote
	owner
	Name string `arg:"" help:"The role."`
}

// Run shows the role.
func (c roleShow) Run(ctx context.Context, s *term.IO) error {
	roles, err := c.list(ctx, c.remote, s)
	if err != nil {
		return err
	}
	for _, a := range roles {
		if a.Name == c.Name {
			return c.show(s, a, a.text)
		}
	}
	return fmt.Errorf("there is no role %s of the tenant's own; those of the configuration are in usher.yml", c.Name)
}

type roleDelete struct {
	remote
	owner
	Name string `arg:"" help:"The role."`
}

// Run deletes the role.
func (c roleDelete) Run(ctx context.Context, s *term.IO) error {
	v := variables{"name": c.Name}
	definition, argument := c.document(v)
	var got deletedAnswer
	if err := c.administer(ctx, s, mutation, definition+"$name: String!", "deleted: deleteRole("+argument+"name: $name)", v, &got); err != nil {
		return err
	}
	return c.deleted(s, c.Name, got)
}

// deletedAnswer tells whether there was anything to delete.
type deletedAnswer struct {
	Deleted bool `json:"deleted"`
}

func (r remote) deleted(s *term.IO, what string, got deletedAnswer) error {
	if !got.Deleted {
		return fmt.Errorf("nothing was deleted: there is no %s", what)
	}
	return r.show(s, got, func(w io.Writer) { fmt.Fprintf(w, "deleted: %s\n", what) })
}
