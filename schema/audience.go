package schema

import (
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
	Guest                              // in a session, their own or one in which they act as a tenant
	User                               // logged in as themselves
	Administrator                      // of a tenant or of all

	everybody = Administrator<<1 - 1
)

// fields says who is shown the fields of the control plane. A field that is
// missing here is shown to nobody.
var fields = map[string]Audience{
	"Query.authenticated": Anonymous | Holder,
	"Query.viewer":        Holder,
	"Query.datasets":      Reader,
	"Query.dataset":       Reader,
	"Query.table":         Reader,

	"Query.tenants":      Administrator,
	"Query.tenant":       Administrator,
	"Query.tokens":       Administrator | Minter,
	"Query.serviceKeys":  Administrator,
	"Query.users":        Administrator,
	"Query.user":         Administrator,
	"Query.roles":        Administrator,
	"Query.savedQueries": Administrator | Member,
	"Query.savedQuery":   Administrator | Member,
	"Query.auditLog":     Administrator,

	"Mutation.createTenant":         Administrator,
	"Mutation.renameTenant":         Administrator,
	"Mutation.setTenantStrategy":    Administrator,
	"Mutation.setTenantAccounts":    Administrator,
	"Mutation.setTenantExternalIds": Administrator,
	"Mutation.setTenantAllowHosts":  Administrator,
	"Mutation.testAccount":          Administrator,
	"Mutation.suspendTenant":        Administrator,
	"Mutation.resumeTenant":         Administrator,
	"Mutation.deleteTenant":         Administrator,
	"Mutation.createToken":          Administrator | Minter,
	"Mutation.narrowToken":          Administrator | Minter,
	"Mutation.revokeTokens":         Administrator | Minter,
	"Mutation.createServiceKey":     Administrator,
	"Mutation.revokeServiceKey":     Administrator,
	"Mutation.createUser":           Administrator,
	"Mutation.setUserRights":        Administrator,
	"Mutation.setUserStatus":        Administrator,
	"Mutation.setPassword":          Administrator,
	"Mutation.deleteUser":           Administrator,
	"Mutation.login":                Anonymous,
	"Mutation.logout":               Guest,
	"Mutation.changePassword":       User,
	"Mutation.actAs":                Administrator,
	"Mutation.putRole":              Administrator,
	"Mutation.deleteRole":           Administrator,
	"Mutation.createSavedQuery":     Administrator | Author,
	"Mutation.updateSavedQuery":     Administrator | Author,
	"Mutation.deleteSavedQuery":     Administrator | Author,
}

// AudienceOf tells of which kinds a principal is. Who holds an embed token is
// a reader at most, and who acts as a tenant administers nothing.
func AudienceOf(p principal.Principal) Audience {
	has := func(s principal.Scope) bool { return slices.Contains(p.Scopes, s) }
	a := Holder
	add := func(kind Audience, is bool) {
		if is {
			a |= kind
		}
	}
	add(Reader, has(principal.ReadData))
	if p.Kind == principal.EmbedToken {
		return a
	}
	member, session, oneself := p.Tenant != "", p.Kind == principal.Session, p.Acting == nil
	add(Member, member)
	add(Author, member && !p.Grant.SavedOnly && (oneself || has(principal.WriteData)))
	add(Guest, session)
	add(User, session && oneself)
	add(Minter, oneself && has(principal.CreateTokens))
	add(Administrator, oneself && has(principal.Administer))
	return a
}

// staticFor is the control plane as an audience is shown it: its root fields,
// and the types that these lead to.
func (b *Builder) staticFor(a Audience) *ast.Schema {
	if known := b.shown[a]; known != nil {
		return known
	}
	s := *b.static
	s.Query = shownTo(a, b.static.Query)
	s.Mutation = shownTo(a, b.static.Mutation)
	reached := reach(b.static, s.Query, s.Mutation)
	s.Types = make(map[string]*ast.Definition, len(b.static.Types))
	s.PossibleTypes = make(map[string][]*ast.Definition, len(b.static.PossibleTypes))
	for name, def := range b.static.Types {
		if reached[name] || anybodys(def) {
			s.Types[name] = def
			if possible, ok := b.static.PossibleTypes[name]; ok {
				s.PossibleTypes[name] = possible
			}
		}
	}
	for _, root := range []*ast.Definition{s.Query, s.Mutation} {
		if root != nil {
			s.Types[root.Name] = root
			s.PossibleTypes[root.Name] = []*ast.Definition{root}
		}
	}
	b.shown[a] = &s
	return &s
}

// shownTo is a root type without what the audience is not shown; nil when that
// is all of it.
func shownTo(a Audience, root *ast.Definition) *ast.Definition {
	if root == nil {
		return nil
	}
	out := *root
	out.Fields = nil
	some := false
	for _, f := range root.Fields {
		introspection := strings.HasPrefix(f.Name, "__")
		if introspection || fields[root.Name+"."+f.Name]&a != 0 {
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
func reach(s *ast.Schema, roots ...*ast.Definition) map[string]bool {
	reached := make(map[string]bool)
	var visit func(def *ast.Definition)
	to := func(t *ast.Type) {
		if def := s.Types[t.Name()]; def != nil && !reached[def.Name] {
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
