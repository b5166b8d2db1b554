package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"usher/cli/term"
)

// TenantCommands are those of `usher tenant`.
type TenantCommands struct {
	Create      tenantCreate      `cmd:"" help:"Register a tenant." example:"usher tenant create acme --name 'Acme Ltd'"`
	List        tenantList        `cmd:"" help:"List the tenants." example:"usher tenant list --search acme"`
	Show        tenantShow        `cmd:"" help:"Show one tenant." example:"usher tenant show acme --json"`
	Update      tenantUpdate      `cmd:"" help:"Change a tenant's name or its accounts." example:"usher tenant update acme --name 'Acme Group' --accounts accounts.json"`
	Rename      tenantRename      `cmd:"" help:"Change a tenant's name." example:"usher tenant rename acme 'Acme Group'"`
	Strategy    tenantStrategy    `cmd:"" help:"Replace the strategies by which a tenant's data is reached." example:"usher tenant strategy acme --strategy standard --dataset-strategy webOrders=broker"`
	Bindings    tenantBindings    `cmd:"" help:"Replace the bindings by which single datasets of a tenant are read." example:"usher tenant bindings acme orders=legacy"`
	ExternalIDs tenantExternalIDs `cmd:"" name:"external-ids" help:"Replace what identity providers call a tenant." example:"usher tenant external-ids acme org_9ybsU1dN2d"`
	AllowHosts  tenantAllowHosts  `cmd:"" help:"Replace where a tenant's accounts may lead." example:"usher tenant allow-hosts acme db.acme.example"`
	Weight      tenantWeight      `cmd:"" help:"Say how many turns a tenant has at a source, beside tenants with one." example:"usher tenant weight acme 3"`
	Limits      tenantLimits      `cmd:"" help:"Replace what a tenant may use in a minute." example:"usher tenant limits acme --requests 6000 --database-time 30s"`
	Account     tenantAccount     `cmd:"" help:"Replace a tenant's account of one source; those of others stay." example:"usher tenant account acme account.json"`
	NoAccount   tenantNoAccount   `cmd:"" name:"remove-account" help:"Remove a tenant's account of one source; those of others stay." example:"usher tenant remove-account acme silo"`
	Test        tenantTest        `cmd:"" help:"Try the accounts by which a tenant's data is reached." example:"usher tenant test acme"`
	Cell        tenantCell        `cmd:"" help:"Say where a tenant's rows are in sources that have cells. They do not move by it." example:"usher tenant cell acme eu2"`
	Suspend     tenantSuspend     `cmd:"" help:"Stop every token of a tenant, until it is resumed." example:"usher tenant suspend acme"`
	Resume      tenantResume      `cmd:"" help:"End a suspension." example:"usher tenant resume acme"`
	Delete      tenantDelete      `cmd:"" help:"End a tenant for ever, with its users, roles, saved queries and tokens." example:"usher tenant delete acme --confirm acme"`
	Release     tenantRelease     `cmd:"" name:"release-places" help:"Let other tenants have where the rows of a deleted tenant were, once they are gone." example:"usher tenant release-places acme"`
}

type tenantAnswer struct {
	ID       string          `json:"id"`
	Key      string          `json:"key"`
	Name     string          `json:"name"`
	Status   string          `json:"status"`
	Strategy *string         `json:"strategy"`
	Cell     *string         `json:"cell"`
	Accounts []accountAnswer `json:"accounts"`
	Created  string          `json:"createdAt"`
	Changed  string          `json:"changedAt"`

	Strategies  []strategyAnswer `json:"strategies"`
	Bindings    []bindingAnswer  `json:"bindings"`
	ExternalIDs []string         `json:"externalIds"`
	AllowHosts  []string         `json:"allowHosts"`

	Weight *int         `json:"weight"`
	Limits limitsAnswer `json:"limits"`
}

type accountAnswer struct {
	Source string   `json:"source"`
	Set    []string `json:"set"`
}

const tenantFields = `{ id key name status strategy cell accounts { source set } createdAt changedAt strategies { dataset strategy } bindings { dataset binding } externalIds allowHosts weight limits { requests databaseMilliseconds rows bytes } }`

func (t tenantAnswer) text(w io.Writer) {
	row(w, "id", t.ID)
	row(w, "key", t.Key)
	row(w, "name", t.Name)
	row(w, "status", strings.ToLower(t.Status))
	row(w, "strategy", dash(t.Strategy))
	if t.Cell != nil {
		row(w, "cell", *t.Cell)
	}
	for _, a := range t.Accounts {
		row(w, "account", a.Source+": "+strings.Join(a.Set, ", "))
	}
	t.textRouting(w)
	t.textShare(w)
	row(w, "created", t.Created)
	row(w, "changed", t.Changed)
}

// changed asks for a change of a tenant and prints what it has become.
func (r remote) changed(ctx context.Context, s *term.IO, definitions, change string, v variables) error {
	var got struct{ Tenant tenantAnswer }
	if err := r.administer(ctx, s, mutation, definitions, "tenant: "+change+" "+tenantFields, v, &got); err != nil {
		return err
	}
	return r.show(s, got.Tenant, got.Tenant.text)
}

type tenantCreate struct {
	remote
	ID              string   `arg:"" help:"Letters a to z, digits, - and _; given once."`
	Key             string   `help:"The value in tenant columns, if it is not the id." placeholder:"KEY"`
	Name            string   `help:"For people."`
	Strategy        string   `help:"By which its data is reached, if not by the configuration's default."`
	Cell            string   `help:"Where its rows are in sources that have cells."`
	DatasetStrategy []string `sep:"none" help:"A dataset that is reached in another way; may be repeated." placeholder:"DATASET=STRATEGY"`
	Binding         []string `sep:"none" help:"A dataset, and the binding of the configuration by which it is read; may be repeated." placeholder:"DATASET=BINDING"`
	ExternalID      []string `sep:"none" help:"What an identity provider calls it; may be repeated." placeholder:"ID"`
	AllowHost       []string `sep:"none" help:"A host or base URL where its accounts may lead, if not wherever the sources allow; may be repeated." placeholder:"HOST"`
	Accounts        string   `help:"File with accounts of its own, as JSON: [{\"source\": \"silo\", \"user\": …, \"password\": …}]." placeholder:"FILE"`
}

// Run registers the tenant.
func (c tenantCreate) Run(ctx context.Context, s *term.IO) error {
	input := variables{"id": c.ID}
	input.set("key", c.Key)
	input.set("name", c.Name)
	input.set("strategy", c.Strategy)
	input.set("cell", c.Cell)
	input.list("externalIds", c.ExternalID)
	input.list("allowHosts", c.AllowHost)
	if err := errors.Join(readAccounts(c.Accounts, input), readStrategies(c.DatasetStrategy, input), readBindings(c.Binding, input)); err != nil {
		return err
	}
	return c.changed(ctx, s, "$input: NewTenant!", "createTenant(input: $input)", variables{"input": input})
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
	if err := json.Unmarshal(text, &accounts); err != nil || accounts == nil {
		return fmt.Errorf("%s does not hold a JSON list of accounts", file)
	}
	input["accounts"] = accounts
	return nil
}

type tenantCell struct {
	remote
	ID   string `arg:"" help:"The tenant."`
	Cell string `arg:"" optional:"" help:"The cell; left out: where the sources are themselves."`
}

// Run changes the tenant's cell.
func (c tenantCell) Run(ctx context.Context, s *term.IO) error {
	v := variables{"id": c.ID}
	v.set("cell", c.Cell)
	return c.changed(ctx, s, "$id: String!, $cell: String", "setTenantCell(id: $id, cell: $cell)", v)
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
	if err := c.administer(ctx, s, query, "$search: String, $after: String, $limit: Int!",
		`tenants(search: $search, after: $after, limit: $limit) { items `+tenantFields+` next }`, v, &got); err != nil {
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
	if err := c.administer(ctx, s, query, "$id: String!", "tenant(id: $id) "+tenantFields, variables{"id": c.ID}, &got); err != nil {
		return err
	}
	if got.Tenant == nil {
		return fmt.Errorf("there is no tenant %s", c.ID)
	}
	return c.show(s, got.Tenant, got.Tenant.text)
}

type tenantUpdate struct {
	remote
	ID       string `arg:"" help:"The tenant."`
	Name     string `help:"For people."`
	Accounts string `help:"File with all accounts of its own from now on, as JSON: [{\"source\": \"silo\", \"user\": …, \"password\": …}]; [] removes them." placeholder:"FILE"`
}

// Run makes the changes in one request, one after the other; one that fails
// ends them.
func (c tenantUpdate) Run(ctx context.Context, s *term.IO) error {
	v := variables{"id": c.ID}
	definitions, changes := "$id: String!", []string{}
	change := func(field, definition, argument string) {
		definitions += definition
		changes = append(changes, fmt.Sprintf("%s: %[1]s(id: $id%s) %s", field, argument, tenantFields))
	}
	if c.Name != "" {
		v["name"] = c.Name
		change("renameTenant", ", $name: String!", ", name: $name")
	}
	if c.Accounts != "" {
		if err := readAccounts(c.Accounts, v); err != nil {
			return err
		}
		change("setTenantAccounts", ", $accounts: [AccountInput!]!", ", accounts: $accounts")
	}
	if len(changes) == 0 {
		return errors.New("say what to change: --name or --accounts; usher tenant strategy, external-ids and allow-hosts change the rest")
	}
	var got struct{ RenameTenant, SetTenantAccounts *tenantAnswer }
	if err := c.administer(ctx, s, mutation, definitions, strings.Join(changes, " "), v, &got); err != nil {
		return err
	}
	last := cmp.Or(got.SetTenantAccounts, got.RenameTenant)
	return c.show(s, last, last.text)
}

type tenantRename struct {
	remote
	ID   string `arg:"" help:"The tenant."`
	Name string `arg:"" help:"Its name from now on."`
}

// Run renames the tenant.
func (c tenantRename) Run(ctx context.Context, s *term.IO) error {
	return c.changed(ctx, s, "$id: String!, $name: String!", "renameTenant(id: $id, name: $name)", variables{"id": c.ID, "name": c.Name})
}

type tenantSuspend struct {
	remote
	ID string `arg:"" help:"The tenant."`
}

// Run suspends the tenant.
func (c tenantSuspend) Run(ctx context.Context, s *term.IO) error {
	return c.changed(ctx, s, "$id: String!", "suspendTenant(id: $id)", variables{"id": c.ID})
}

type tenantResume struct {
	remote
	ID string `arg:"" help:"The tenant."`
}

// Run resumes the tenant.
func (c tenantResume) Run(ctx context.Context, s *term.IO) error {
	return c.changed(ctx, s, "$id: String!", "resumeTenant(id: $id)", variables{"id": c.ID})
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
	return c.changed(ctx, s, "$id: String!", "deleteTenant(id: $id)", variables{"id": c.ID})
}

type tenantRelease struct {
	remote
	ID string `arg:"" help:"The tenant, which is deleted, and whose rows are gone."`
}

// Run releases the places of the tenant.
func (c tenantRelease) Run(ctx context.Context, s *term.IO) error {
	return c.changed(ctx, s, "$id: String!", "releasePlaces(tenant: $id)", variables{"id": c.ID})
}
