package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unique"

	"usher/catalog"
	"usher/fault"
	"usher/principal"
)

// checkAccounts refuses a principal any of whose accounts does not fit its
// source, whatever is asked: an override that was left out would serve another
// account's rows.
func (b *builder) checkAccounts() error {
	allowed, err := catalog.ParseDestinations(b.p.Routing.AllowHosts)
	if err != nil {
		return routingFault("%s", err)
	}
	if err := checkAccounts(b.cat, b.p.Routing.Accounts, allowed, (*catalog.Source).CheckAccount, routingFault); err != nil {
		return err
	}
	return checkAccounts(b.cat, b.p.Grant.Accounts, allowed, (*catalog.Source).CheckTokenAccount, grantFault)
}

func checkAccounts(
	cat *catalog.Catalog, accounts map[string]principal.Account, allowed *catalog.Destinations,
	check func(*catalog.Source, principal.Account, *catalog.Destinations) []catalog.AccountProblem, refuse func(string, ...any) error,
) error {
	for _, name := range slices.Sorted(maps.Keys(accounts)) {
		source := cat.Sources[name]
		if source == nil {
			return refuse("an account names the unknown source %q", name)
		}
		if problems := check(source, accounts[name], allowed); len(problems) > 0 {
			return refuse("%s: %s", strings.TrimSuffix("accounts."+name+"."+problems[0].Key, "."), problems[0].Message)
		}
	}
	return nil
}

// own are the principal's accounts of a source, each to be put over those
// before it: the registry's, then the token's.
func (b *builder) own(source string) []principal.Account {
	var out []principal.Account
	if a, ok := b.p.Routing.Accounts[source]; ok {
		out = append(out, a)
	}
	if a, ok := b.p.Grant.Accounts[source]; ok {
		out = append(out, a)
	}
	return out
}

// overrides are what the principal has of its own in the accounts of APIs.
func (b *builder) overrides() map[string]Override {
	var out map[string]Override
	for _, accounts := range []map[string]principal.Account{b.p.Routing.Accounts, b.p.Grant.Accounts} {
		for name, a := range accounts {
			if b.cat.Sources[name].Kind != catalog.API {
				continue
			}
			if out == nil {
				out = make(map[string]Override)
			}
			out[name] = out[name].with(a)
		}
	}
	return out
}

// place is the source and the binding that the dataset is read from: the
// tenant's own if it has one, which nobody else is led to, the one that its record names, or else the
// strategy's. The binding is nil where there is none.
func (b *builder) place(d *catalog.Dataset) (source string, binding *catalog.Binding) {
	if b.astray(d) {
		return "", nil
	}
	if own := b.ownOf(d); own != nil {
		return own.Source, &own.Binding
	}
	source = b.strategyOf(d).SourceOf(d.Name)
	if d.Common {
		source = d.Source
	}
	return source, d.Bindings[source]
}

// isOwn tells whether a binding is the principal's tenant's own. One that its record
// names is not: others may be read from it.
func (b *builder) isOwn(d *catalog.Dataset, binding *catalog.Binding) bool {
	own := b.ownOf(d)
	return own != nil && binding == &own.Binding && own.Tenant != ""
}

// ownKey is the key in Dataset.Own of the binding that is read, or empty.
func (b *builder) ownKey(d *catalog.Dataset, binding *catalog.Binding) string {
	own := b.ownOf(d)
	if own == nil || binding != &own.Binding {
		return ""
	}
	return own.Key()
}

// target says where the dataset's rows are for this principal.
func (b *builder) target(d *catalog.Dataset) (Target, *catalog.Binding, error) {
	name, binding := b.place(d)
	source := b.cat.Sources[name]
	switch {
	case b.astray(d):
		return Target{}, nil, fault.New(fault.Unavailable, "the tenant's record says of the %s what this gateway's configuration does not have", b.rowsNamed(d)).
			Because(fmt.Errorf("dataset %s has no binding %q for this tenant", d.Name, b.p.Routing.Bindings[d.Name])).
			WithHint("ask whoever registers the tenants")
	case binding == nil && d.PerTenant && b.p.AllTenants:
		return Target{}, nil, fault.New(fault.Forbidden, "%s is kept apart for each tenant; ask as one tenant", b.nameOf(d))
	case binding == nil && d.PerTenant:
		return Target{}, nil, fault.New(fault.Forbidden, "nothing says where the %s of this tenant are", b.rowsNamed(d)).
			WithHint("the tenant needs a binding of its own")
	case source == nil || binding == nil:
		return Target{}, nil, fault.New(fault.Forbidden, "%s cannot be reached by the strategy %q", b.nameOf(d), b.strategyOf(d).Name)
	}
	if len(source.Postgres.Cells) > 0 && b.p.AllTenants && !d.Common {
		return Target{}, nil, fault.New(fault.Forbidden, "%s is kept in several databases, and only some of the rows would be counted; ask as one tenant", b.nameOf(d))
	}
	if source.Template && b.p.AllTenants {
		return Target{}, nil, fault.New(fault.Forbidden, "%s is kept apart for each tenant; ask as one tenant", b.nameOf(d))
	}
	t, err := b.reach(source)
	if err != nil {
		return Target{}, nil, err
	}
	if source.Template && !source.NamesTenant(binding) && !leads(source, binding, t.Account()) {
		return Target{}, nil, fault.New(fault.Forbidden, "nothing says where the %s of this tenant are", b.rowsNamed(d)).
			WithHint("the tenant needs an account of its own")
	}
	return t, binding, nil
}

// leads tells whether an account leads elsewhere than a template itself.
func leads(source *catalog.Source, binding *catalog.Binding, a Account) bool {
	s := source.Postgres
	return a.Host != s.Host || a.Port != s.Port || a.Database != s.Database || a.User != s.User ||
		a.Schema != s.Schema && bySource(source, binding)
}

// reach is the target of a source, made once for each plan.
func (b *builder) reach(source *catalog.Source) (Target, error) {
	if t, ok := b.targets[source.Name]; ok {
		return t, nil
	}
	t, err := b.resolve(source)
	if err == nil {
		if b.targets == nil {
			b.targets = make(map[string]Target)
		}
		b.targets[source.Name] = t
	}
	return t, err
}

func (b *builder) resolve(source *catalog.Source) (Target, error) {
	t := Target{Source: source.Name, Kind: source.Kind}
	if source.Kind == catalog.API {
		return t, nil
	}
	server, a := source.Postgres, Account{}
	if len(server.Cells) > 0 {
		var err error
		if server, err = b.cell(source); err != nil {
			return Target{}, err
		}
		a.Own = b.p.Routing.Cell != "" // its tables are not those that the catalog was made of
	}
	if source.Template {
		t.Tenant, a.Own = b.tenant(), true
		server = server.ForTenant(b.tenant())
	}
	a.Host, a.Port, a.Database, a.Schema, a.User = server.Host, server.Port, server.Database, server.Schema, server.User
	a.password = unique.Make(server.Password)
	for _, own := range b.own(source.Name) {
		t.Tenant = b.tenant()
		a = a.with(own)
	}
	if !source.Postgres.Session.Empty() {
		if err := b.session(source, &t, &a); err != nil {
			return Target{}, err
		}
	}
	for _, name := range []string{a.Database, a.Schema, a.User, a.Role} {
		if len(name) > catalog.MaxName {
			return Target{}, fault.New(fault.Forbidden, "a name made of the tenant's id is longer than %d bytes", catalog.MaxName).
				WithHint("give the tenant an account of its own")
		}
	}
	t.account = unique.Make(a)
	return t, nil
}

// cell is the source in the cell that the tenant's record names. Without one the rows
// are where the source is itself, if it is anywhere.
func (b *builder) cell(source *catalog.Source) (catalog.PostgresSpec, error) {
	switch name := b.p.Routing.Cell; {
	case name == "" && source.Postgres.Host == "":
		return catalog.PostgresSpec{}, fault.New(fault.Forbidden, "nothing says in which of its databases the rows are").Because(fmt.Errorf("source %q has cells, and the tenant has none", source.Name)).
			WithHint("the tenant's record needs a cell")
	case name == "":
		return source.Postgres, nil
	default:
		server, ok := source.Postgres.Cell(name)
		if !ok {
			return server, fault.New(fault.Forbidden, "there is no such database as the tenant's record names").Because(fmt.Errorf("source %q has no cell %q", source.Name, name)).
				WithHint("ask whoever registers the tenants")
		}
		return server, nil
	}
}

// session puts what the database is told of the principal into its account.
func (b *builder) session(source *catalog.Source, t *Target, a *Account) error {
	session := source.Postgres.Session
	if session.NamesTenant() {
		if b.p.AllTenants {
			return fault.New(fault.Forbidden, "the source is told whose rows to show; ask as one tenant").Because(fmt.Errorf("source %q", source.Name))
		}
		t.Tenant = b.tenant()
		session = session.ForTenant(b.tenant(), b.tenantKey())
	}
	if session.Role == catalog.NoRole {
		return fault.New(fault.Forbidden, "the tenant's role would be none at all")
	}
	var settings strings.Builder
	for _, s := range session.Settings {
		if s.Value == "" || strings.Contains(s.Value, "\x00") {
			return fault.New(fault.Forbidden, "the tenant's key cannot be told to the source").Because(fmt.Errorf("source %q", source.Name))
		}
		settings.WriteString(s.Name + "\x00" + s.Value + "\x00")
	}
	a.Role, a.settings = session.Role, settings.String()
	return nil
}

// bySource tells whether a binding's schema is the source's.
func bySource(source *catalog.Source, binding *catalog.Binding) bool {
	return binding.Schema == source.Postgres.Schema
}

// schemaOf is the schema of a binding for this principal.
func (b *builder) schemaOf(binding *catalog.Binding, t Target) (string, error) {
	name := SchemaOf(b.cat.Sources[t.Source], binding, t)
	if len(name) > catalog.MaxName {
		return "", fault.New(fault.Forbidden, "the name of the tenant's schema is longer than %d bytes", catalog.MaxName)
	}
	return name, nil
}

// SchemaOf is the schema of a binding in an account of its source: the account's
// where the binding has none of its own.
func SchemaOf(source *catalog.Source, binding *catalog.Binding, t Target) string {
	switch {
	case source.Kind == catalog.API:
		return ""
	case bySource(source, binding):
		return t.Account().Schema
	case !source.Template:
		return binding.Schema
	}
	return binding.ForTenant(t.Tenant)
}
