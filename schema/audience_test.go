package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"usher/catalog"
	"usher/principal"
)

// Every field of the control plane has a row that says who is shown it, and
// every row is of a field.
func TestEveryFieldHasItsAudience(t *testing.T) {
	t.Parallel()
	static, err := loadStatic([]Part{Administration, Relay})
	if err != nil {
		t.Fatal(err)
	}
	there := make(map[string]bool)
	for _, of := range []*ast.Definition{static.Query, static.Mutation, static.Types[adminQuery], static.Types[adminMutation]} {
		for _, f := range of.Fields {
			name := of.Name + "." + f.Name
			there[name] = true
			if !strings.HasPrefix(f.Name, "__") && f.Name != "admin" && fields[name] == 0 {
				t.Errorf("%s is shown to nobody: say in audience.go to whom", name)
			}
		}
	}
	for name := range fields {
		if !there[name] {
			t.Errorf("there is no field %s", name)
		}
	}
}

// A field that nobody has thought of is shown to nobody, and neither are the
// types that only it leads to.
func TestUnknownFieldsAreHidden(t *testing.T) {
	t.Parallel()
	b, err := NewBuilder(Administration)
	if err != nil {
		t.Fatal(err)
	}
	b.static, err = validator.LoadSchema(validator.Prelude,
		&ast.Source{Name: sharedFile, Input: "scalar Shared type Paging { a: Int }"},
		&ast.Source{Name: "x.graphqls", Input: `
			type Query { viewer: Seen forgotten(in: In): Hidden admin: AdminQuery }
			type Mutation { forgotten: Hidden admin: AdminMutation }
			type AdminQuery { forgotten: Hidden tenants: Tenants } type AdminMutation { forgotten: Hidden } type Tenants { a: Int }
			type Seen { a: Shared b: Deep } type Deep { a: Int }
			type Hidden { a: Deeper } type Deeper { a: Int } input In { a: Shared }`})
	if err != nil {
		t.Fatal(err)
	}
	view, err := (&catalog.Catalog{}).View(principal.Principal{})
	if err != nil {
		t.Fatal(err)
	}
	for a := Holder; a <= everybody; a += 2 {
		s, err := b.Build(view, a|Holder)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"Hidden", "Deeper", "In", "Mutation", "AdminMutation"} {
			if s.AST.Types[name] != nil || s.AST.PossibleTypes[name] != nil {
				t.Fatalf("audience %b is shown %s", a, name)
			}
		}
		for _, name := range []string{"Seen", "Deep", "Shared", "Paging", "Query", "__Schema", "Int"} {
			if s.AST.Types[name] == nil {
				t.Fatalf("audience %b is not shown %s", a, name)
			}
		}
		if admin := s.AST.Query.Fields.ForName("admin"); (admin != nil) != (a&Operator != 0) || (s.AST.Types["AdminQuery"] != nil) != (admin != nil) ||
			(s.AST.Types["Tenants"] != nil) != (admin != nil) || s.Administers() != (admin != nil) {
			t.Fatalf("audience %b is shown admin %v", a, admin)
		}
		if s.AST.Mutation != nil || s.AST.Query.Fields.ForName("forgotten") != nil || s.AST.Query.Fields.ForName("__schema") == nil {
			t.Fatalf("audience %b has the root fields %v", a, s.AST.Query.Fields)
		}
	}
	if _, err := b.Build(view, Reader); err == nil {
		t.Error("a schema without any field of the query type was built")
	}
}

func TestAudiences(t *testing.T) {
	t.Parallel()
	all := []principal.Scope{principal.CreateTokens, principal.ReadData, principal.WriteData, principal.Administer}
	acting := &principal.Acting{Subject: "root", Reason: "a ticket"}
	const data = "authenticated console dataset datasets table viewer"
	const saved = " savedQueries savedQuery dashboards dashboard"
	const keep = " copySavedQuery createSavedQuery deleteSavedQuery updateSavedQuery"
	b, err := NewBuilder(Administration)
	if err != nil {
		t.Fatal(err)
	}
	everything := slices.DeleteFunc(slices.Collect(maps.Keys(fields)), func(name string) bool {
		return slices.Contains([]string{"Query.node", "Query.nodes", "Mutation.login", "Mutation.logout", "Mutation.logoutEverywhere", "Mutation.changePassword"}, name)
	})
	f := func(what string, p principal.Principal, queries, mutations string) {
		t.Helper()
		s := b.staticFor(AudienceOf(p))
		for _, side := range []struct {
			root, admin *ast.Definition
			want        string
		}{{s.Query, s.Types[adminQuery], queries}, {s.Mutation, s.Types[adminMutation], mutations}} {
			var got []string
			if side.root != nil {
				for _, f := range side.root.Fields {
					if !strings.HasPrefix(f.Name, "__") && f.Name != "admin" {
						got = append(got, f.Name)
					}
				}
				if (side.root.Fields.ForName("admin") != nil) != (side.admin != nil) {
					t.Errorf("%s: admin and what is below it are not shown together", what)
				}
			}
			if side.admin != nil {
				for _, f := range side.admin.Fields {
					got = append(got, "admin."+f.Name)
				}
			}
			want := strings.Fields(side.want)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s is shown %v, want %v", what, got, want)
			}
		}
	}
	of := func(root string) string {
		var out []string
		for _, name := range everything {
			if field, ok := strings.CutPrefix(name, root); ok {
				out = append(out, field)
			}
			if field, ok := strings.CutPrefix(name, "Admin"+root); ok {
				out = append(out, "admin."+field)
			}
		}
		return strings.Join(out, " ")
	}
	tenant := func(kind principal.Kind, scopes ...principal.Scope) principal.Principal {
		return principal.Principal{Kind: kind, Tenant: "acme", Scopes: scopes}
	}
	f("a JWT", tenant(principal.JWT, principal.ReadData), data+saved, keep)
	f("an embed token", tenant(principal.EmbedToken, principal.ReadData), data, "logout")
	f("an embed token with every scope", tenant(principal.EmbedToken, all...), data, "logout")
	f("an embed token without scopes", tenant(principal.EmbedToken), "authenticated console viewer", "logout")
	f("a key without scopes", principal.Principal{Kind: principal.ServiceKey, AllTenants: true}, "authenticated console viewer", "")
	f("a minter", principal.Principal{Kind: principal.ServiceKey, AllTenants: true, Scopes: []principal.Scope{principal.CreateTokens}},
		"authenticated console viewer admin.tokens", "createToken narrowToken admin.revokeTokens")
	f("a tenant's minter", tenant(principal.ServiceKey, principal.CreateTokens),
		"authenticated console viewer admin.tokens"+saved, "createToken narrowToken admin.revokeTokens"+keep)
	f("a user", tenant(principal.Session, principal.ReadData), data+saved, keep+" logout logoutEverywhere changePassword")
	f("an administrator of all tenants", principal.Principal{Kind: principal.ServiceKey, AllTenants: true, Scopes: all}, of("Query."), of("Mutation."))
	const operators = " tenants configuredTenants findings configuration reload setTenantAccount removeTenantAccount setTenantBindings setTenantWeight setTenantLimits actAs createTenant setTenantStrategy setTenantCell setTenantAccounts setTenantExternalIds setTenantAllowHosts suspendTenant resumeTenant deleteTenant releasePlaces "
	everything = slices.DeleteFunc(everything, func(name string) bool {
		_, field, _ := strings.Cut(name, ".")
		return name == "AdminQuery.dashboards" || strings.Contains(operators, " "+field+" ")
	})
	f("a tenant's administrator who may do all", tenant(principal.ServiceKey, all...), of("Query."), of("Mutation."))
	f("an administrator who is logged in", tenant(principal.Session, all...), of("Query."), of("Mutation.")+" logout logoutEverywhere changePassword")
	reading := tenant(principal.Session, principal.ReadData)
	reading.Acting = acting
	f("who acts to read", reading, data+saved, "logout")
	writing := tenant(principal.Session, all...)
	writing.Acting = acting
	f("who acts to write", writing, data+saved, keep+" logout")
	only := tenant(principal.JWT, principal.ReadData)
	only.Grant.SavedOnly = true
	f("who has saved queries only", only, data+saved, "")
	f("nobody in particular", principal.Principal{}, "authenticated console viewer", "")

	anonymous := b.staticFor(Anonymous)
	if got := fmt.Sprint(anonymous.Mutation.Fields.ForName("login") != nil, len(anonymous.Mutation.Fields)); got != "true 1" {
		t.Errorf("the mutations of the anonymous: %s", got)
	}
	if anonymous.Query.Fields.ForName("authenticated") == nil || anonymous.Query.Fields.ForName("viewer") != nil {
		t.Error("the queries of the anonymous are others")
	}
	for _, name := range []string{"AdminQuery", "AdminMutation", "AdminTenant", "AdminToken", "AdminUser", "NewToken", "AuditEntry", "Viewer", "Dataset", "TableQuery", "Scope"} {
		if anonymous.Types[name] != nil {
			t.Errorf("the anonymous are shown the type %s", name)
		}
	}
}

// Without a control store nothing of administration is in any schema, and its
// names are free for datasets.
func TestWithoutAdministration(t *testing.T) {
	t.Parallel()
	b, err := NewBuilder()
	if err != nil {
		t.Fatal(err)
	}
	s := b.staticFor(everybody)
	if s.Mutation != nil || s.Types["AdminTenant"] != nil || s.Query.Fields.ForName("admin") != nil || s.Types[adminQuery] != nil {
		t.Error("administration is shown")
	}
}
