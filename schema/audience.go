package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/principal"
)

// Audience is for whom a schema is built: kinds of callers, of which one may
// be several.
type Audience uint16

// The kinds of callers.
const (
	Anonymous     Audience = 1 << iota // has shown no token
	Holder                             // of any accepted token
	Reader                             // may query datasets
	Minter                             // may make tokens
	Member                             // of a tenant, and sees the queries it has saved
	Author                             // a member who may save queries
	Guest                              // until they leave: with an embed token, or in a session, their own or one in which they act as a tenant
	User                               // logged in as themselves
	Administrator                      // of a tenant or of all
	Operator                           // an administrator of all tenants

	// OfAll sees rows of all tenants, whose keys hold within a tenant. It adds no
	// field, and tells identities apart.
	OfAll = Operator << 1

	everybody = Operator<<1 - 1
)

// fields says who is shown the fields of the control plane. A field that is
// missing here is shown to nobody. The fields admin have no row: whoever is
// shown a field below them is shown them.
var fields = map[string]Audience{
	"Query.authenticated": Anonymous | Holder,
	"Query.viewer":        Holder,
	"Query.console":       Anonymous | Holder,
	"Query.datasets":      Reader,
	"Query.dataset":       Reader,
	"Query.table":         Reader,
	"Query.node":          Reader,
	"Query.nodes":         Reader,
	"Query.savedQueries":  Administrator | Member,
	"Query.savedQuery":    Administrator | Member,
	"Query.dashboards":    Administrator | Member,
	"Query.dashboard":     Administrator | Member,

	"Mutation.createToken":      Administrator | Minter,
	"Mutation.narrowToken":      Administrator | Minter,
	"Mutation.login":            Anonymous,
	"Mutation.logout":           Guest,
	"Mutation.logoutEverywhere": User,
	"Mutation.changePassword":   User,
	"Mutation.actAs":            Operator,
	"Mutation.createSavedQuery": Administrator | Author,
	"Mutation.updateSavedQuery": Administrator | Author,
	"Mutation.copySavedQuery":   Administrator | Author,
	"Mutation.deleteSavedQuery": Administrator | Author,
	"Mutation.saveDashboard":    Administrator,
	"Mutation.copyDashboard":    Administrator,
	"Mutation.deleteDashboard":  Administrator,

	"AdminQuery.tenants":     Operator,
	"AdminQuery.tenant":      Administrator,
	"AdminQuery.tokens":      Administrator | Minter,
	"AdminQuery.serviceKeys": Administrator,
	"AdminQuery.users":       Administrator,
	"AdminQuery.user":        Administrator,
	"AdminQuery.roles":       Administrator,

	"AdminQuery.configuredRoles": Administrator,
	"AdminQuery.dashboards":      Operator,
	"AdminQuery.roleBounds":      Administrator,
	"AdminQuery.health":          Administrator,
	"AdminQuery.findings":        Operator,
	"AdminQuery.configuration":   Operator,
	"AdminQuery.auditLog":        Administrator,

	"AdminQuery.configuredTenants": Operator,
	"AdminQuery.configuredTenant":  Administrator,

	"AdminMutation.createTenant":         Operator,
	"AdminMutation.renameTenant":         Administrator,
	"AdminMutation.setTenantStrategy":    Operator,
	"AdminMutation.setTenantCell":        Operator,
	"AdminMutation.setTenantAccounts":    Operator,
	"AdminMutation.setTenantAccount":     Operator,
	"AdminMutation.removeTenantAccount":  Operator,
	"AdminMutation.setTenantExternalIds": Operator,
	"AdminMutation.setTenantAllowHosts":  Operator,
	"AdminMutation.testAccount":          Administrator,
	"AdminMutation.setTenantBindings":    Operator,
	"AdminMutation.setTenantWeight":      Operator,
	"AdminMutation.setTenantLimits":      Operator,
	"AdminMutation.reload":               Operator,
	"AdminMutation.suspendTenant":        Operator,
	"AdminMutation.resumeTenant":         Operator,
	"AdminMutation.deleteTenant":         Operator,
	"AdminMutation.releasePlaces":        Operator,
	"AdminMutation.revokeTokens":         Administrator | Minter,
	"AdminMutation.createServiceKey":     Administrator,
	"AdminMutation.revokeServiceKey":     Administrator,
	"AdminMutation.createUser":           Administrator,
	"AdminMutation.setUserRights":        Administrator,
	"AdminMutation.setUserStatus":        Administrator,
	"AdminMutation.setUserProfile":       Administrator,
	"AdminMutation.setPassword":          Administrator,
	"AdminMutation.unlockUser":           Administrator,
	"AdminMutation.endUserSessions":      Administrator,
	"AdminMutation.deleteUser":           Administrator,
	"AdminMutation.putRole":              Administrator,
	"AdminMutation.deleteRole":           Administrator,
}

// The types of the fields admin.
const (
	adminQuery    = "AdminQuery"
	adminMutation = "AdminMutation"
)

// AudienceOf tells of which kinds a principal is. Who holds an embed token is
// a reader at most, who may end it, and who acts as a tenant administers nothing.
func AudienceOf(p principal.Principal) Audience {
	has := func(s principal.Scope) bool { return slices.Contains(p.Scopes, s) }
	a := Holder
	add := func(kind Audience, is bool) {
		if is {
			a |= kind
		}
	}
	add(Reader, has(principal.ReadData))
	add(Guest, p.Kind == principal.EmbedToken || p.Kind == principal.Session)
	if p.Kind == principal.EmbedToken {
		return a
	}
	member, session, oneself := p.Tenant != "", p.Kind == principal.Session, p.Acting == nil
	add(Member, member)
	add(Author, member && !p.Grant.SavedOnly && p.Grant.Dashboards == nil && (oneself || has(principal.WriteData)))
	add(User, session && oneself)
	add(Minter, oneself && has(principal.CreateTokens))
	administers := oneself && has(principal.Administer)
	add(Administrator, administers)
	add(Operator, administers && p.AllTenants)
	return a
}

// staticFor is the control plane as an audience is shown it: its root fields,
// and the types that these lead to.
func (b *Builder) staticFor(a Audience) *ast.Schema {
	if known := b.shown[a]; known != nil {
		return known
	}
	s := *b.static
	all := maps.Clone(b.static.Types)
	for _, name := range []string{adminQuery, adminMutation} { // before the roots, whose fields lead to them
		if def := shownTo(a, all, all[name]); def != nil {
			all[name] = def
		} else {
			delete(all, name)
		}
	}
	s.Query = shownTo(a, all, b.static.Query)
	s.Mutation = shownTo(a, all, b.static.Mutation)
	reached := reach(all, s.Query, s.Mutation)
	s.Types = make(map[string]*ast.Definition, len(all))
	s.PossibleTypes = make(map[string][]*ast.Definition, len(b.static.PossibleTypes))
	show := func(def *ast.Definition) {
		s.Types[def.Name] = def
		if _, ok := b.static.PossibleTypes[def.Name]; ok {
			s.PossibleTypes[def.Name] = []*ast.Definition{def}
		}
	}
	for name, def := range all {
		if reached[name] || anybodys(def) {
			show(def)
		}
	}
	for _, root := range []*ast.Definition{s.Query, s.Mutation} {
		if root != nil {
			show(root)
		}
	}
	b.shown[a] = &s
	return &s
}

// shownTo is a type of fields that have audiences, without what the audience is
// not shown; nil when that is all of it.
func shownTo(a Audience, types map[string]*ast.Definition, of *ast.Definition) *ast.Definition {
	if of == nil {
		return nil
	}
	out := *of
	out.Fields = nil
	some := false
	for _, f := range of.Fields {
		introspection := strings.HasPrefix(f.Name, "__")
		shown := fields[of.Name+"."+f.Name]&a != 0
		if name := f.Type.Name(); name == adminQuery || name == adminMutation {
			shown = types[name] != nil
		}
		if introspection || shown {
			out.Fields = append(out.Fields, f)
			some = some || !introspection
		}
	}
	if !some {
		return nil
	}
	return &out
}

// anybodys tells whether a type is shown whatever else is: it is GraphQL's
// own, or one of those that datasets are made of.
func anybodys(def *ast.Definition) bool {
	return def.BuiltIn || def.Position != nil && def.Position.Src != nil && (def.Position.Src.BuiltIn || def.Position.Src.Name == sharedFile)
}

// reach names the types that fields of the roots lead to.
func reach(types map[string]*ast.Definition, roots ...*ast.Definition) map[string]bool {
	reached := make(map[string]bool)
	var visit func(def *ast.Definition)
	to := func(t *ast.Type) {
		if def := types[t.Name()]; def != nil && !reached[def.Name] {
			reached[def.Name] = true
			visit(def)
		}
	}
	visit = func(def *ast.Definition) {
		for _, f := range def.Fields {
			to(f.Type)
			for _, arg := range f.Arguments {
				to(arg.Type)
			}
		}
	}
	for _, root := range roots {
		if root != nil {
			visit(root)
		}
	}
	return reached
}
