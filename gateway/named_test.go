package gateway_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// leftOut says of all that mutations take and need not be said what it means to
// leave it out. Whoever adds to the schema decides it here.
var leftOut = map[string]string{
	"NewTenant.key":      "the id",
	"NewTenant.name":     "the id",
	"NewTenant.strategy": "the default",
	"NewTenant.cell":     "where the sources are themselves",
	"NewTenant.accounts": "none",
	"NewTenant.weight":   "as the configuration says",
	"NewTenant.limits":   "as the configuration says",

	"MinuteLimitsInput.requests":             "as the configuration says",
	"MinuteLimitsInput.databaseMilliseconds": "as the configuration says",
	"MinuteLimitsInput.rows":                 "as the configuration says",
	"MinuteLimitsInput.bytes":                "as the configuration says",
	"setTenantWeight.weight":                 "as the configuration says",

	"NewTenant.strategies":         "none",
	"NewTenant.bindings":           "none",
	"NewTenant.externalIds":        "none",
	"NewTenant.allowHosts":         "all that the sources allow",
	"setTenantStrategy.strategies": "none",
	"testAccount.tenant":           "the viewer's, refused with the right to all",

	"AccountInput.host":       "the source's",
	"AccountInput.port":       "the source's",
	"AccountInput.database":   "the source's",
	"AccountInput.schema":     "the source's",
	"AccountInput.user":       "the source's",
	"AccountInput.password":   "the source's",
	"AccountInput.baseUrl":    "the source's",
	"AccountInput.headers":    "the source's",
	"AccountInput.properties": "the source's",

	"NewToken.tenant":            "the minter's",
	"NewToken.name":              "shown only",
	"NewToken.email":             "shown only",
	"NewToken.roles":             "none",
	"NewToken.strategy":          "the minter's, the tenant's, the default",
	"NewToken.strategies":        "the minter's",
	"NewToken.filters":           "the minter's",
	"NewToken.parameters":        "the minter's",
	"NewToken.cleared":           "none",
	"NewToken.metadata":          "the minter's",
	"NewToken.accounts":          "the minter's",
	"NewToken.datasets":          "the minter's, all that the roles allow",
	"NewToken.savedOnly":         "as the minter",
	"NewToken.write":             "no",
	"NewToken.dashboards":        "as the minter",
	"NewToken.timezone":          "the minter's, UTC",
	"NewToken.expiresAt":         "in a day, not after the minter",
	"NewToken.inactivitySeconds": "the minter's, none",
	"NewToken.rate":              "the minter's, none",
	"NewToken.limits":            "the minter's, as the configuration says",

	"TokenNarrowing.name":              "shown only",
	"TokenNarrowing.roles":             "the holder's",
	"TokenNarrowing.filters":           "the holder's",
	"TokenNarrowing.datasets":          "the holder's",
	"TokenNarrowing.savedOnly":         "as the holder",
	"TokenNarrowing.write":             "no",
	"TokenNarrowing.dashboards":        "as the holder",
	"TokenNarrowing.expiresAt":         "in a day, not after the holder",
	"TokenNarrowing.inactivitySeconds": "the holder's",
	"TokenNarrowing.rate":              "the holder's",
	"TokenNarrowing.limits":            "the holder's",

	"Revocation.token":        "every one on which the rest fits",
	"Revocation.subject":      "every one on which the rest fits",
	"Revocation.tenant":       "the viewer's, every one on which the rest fits",
	"Revocation.issuer":       "every one on which the rest fits",
	"Revocation.issuedBefore": "now",
	"Revocation.keepMinted":   "what was minted ends too",

	"NewServiceKey.tenant":     "refused, unless it is for all",
	"NewServiceKey.allTenants": "not for all",
	"NewServiceKey.roles":      "none",
	"NewServiceKey.datasets":   "all that the roles allow",
	"NewServiceKey.mayGrant":   "nothing",
	"NewServiceKey.dashboards": "not for dashboards only",
	"NewServiceKey.expiresAt":  "never",
	"NewServiceKey.rate":       "the maker's, none",
	"NewServiceKey.limits":     "the maker's, as the configuration says",

	"MayGrantInput.strategies": "none",
	"MayGrantInput.accounts":   "none",
	"MayGrantInput.parameters": "none",
	"MayGrantInput.clear":      "none",
	"MayGrantInput.metadata":   "none",

	"NewUser.tenant":     "the maker's, refused for a maker of none",
	"NewUser.allTenants": "not for all",
	"NewUser.name":       "shown only",
	"NewUser.email":      "shown only",
	"NewUser.roles":      "none",
	"NewUser.scopes":     "to read",

	"TokenFilter.where":  "refused, unless having is given",
	"TokenFilter.having": "refused, unless where is given",

	"SavedQueryInput.variables":   "none",
	"SavedQueryInput.description": "none",
	"SavedQueryInput.ofTenant":    "the user's own",
	"SavedQueryInput.shared":      "not shared",
	"SavedQueryInput.view":        "none",
	"updateSavedQuery.version":    "whichever there is",
	"deleteSavedQuery.version":    "whichever there is",
	"copySavedQuery.as":           "the same name",
	"copySavedQuery.ofTenant":     "the user's own",

	"saveDashboard.shared":  "not shared",
	"saveDashboard.version": "a new one",
	"copyDashboard.as":      "the same",

	"setTenantStrategy.strategy":  "the default",
	"setTenantCell.cell":          "where the sources are themselves",
	"revokeServiceKey.keepMinted": "what was minted ends too",
	"setUserRights.tenant":        "the viewer's",
	"setUserStatus.tenant":        "the viewer's",
	"setUserProfile.tenant":       "the viewer's",
	"setPassword.tenant":          "the viewer's",
	"deleteUser.tenant":           "the viewer's",
	"unlockUser.tenant":           "the viewer's",
	"endUserSessions.tenant":      "the viewer's",
	"login.tenant":                "the username's, none",
	"actAs.minutes":               "15",
	"actAs.write":                 "it reads",
	"actAs.roles":                 "the administrator's",
	"putRole.tenant":              "the viewer's",
	"deleteRole.tenant":           "the viewer's",
}

// position is where something is said in a mutation.
type position struct {
	name     string // of the type and the member, or of the mutation and the argument
	path     string // as messages name it
	typ      *ast.Type
	optional bool
	document func(definition, value string) string
}

func controlSchema(t *testing.T) *ast.Schema {
	t.Helper()
	files, err := filepath.Glob("../schema/*.graphqls")
	if err != nil || len(files) == 0 {
		t.Fatal("no schema", err)
	}
	var sources []*ast.Source
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: file, Input: string(text)})
	}
	return gqlparser.MustLoadSchema(sources...)
}

// sample is some value of a type, with what has to be said only.
func sample(s *ast.Schema, t *ast.Type) string {
	if t.Elem != nil {
		return "[" + sample(s, t.Elem) + "]"
	}
	def := s.Types[t.NamedType]
	switch {
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case def.Kind == ast.InputObject:
		return "{" + strings.Join(required(s, def.Fields, ""), ", ") + "}"
	case t.NamedType == "Int":
		return "1"
	case t.NamedType == "Boolean":
		return "true"
	case t.NamedType == "Timestamp":
		return `"2030-01-01T00:00:00Z"`
	}
	return `"x"`
}

// required are the members that have to be said, but for one.
func required(s *ast.Schema, fields ast.FieldList, but string) []string {
	var out []string
	for _, f := range fields {
		if f.Name != but && f.Type.NonNull && f.DefaultValue == nil {
			out = append(out, f.Name+": "+sample(s, f.Type))
		}
	}
	return out
}

// places are a member and all that is inside of it.
func places(s *ast.Schema, of, path string, f *ast.FieldDefinition, wrap func(definition, member string) string) []position {
	document := func(definition, value string) string { return wrap(definition, f.Name+": "+value) }
	all := []position{{
		name: of + "." + f.Name, path: path + f.Name, typ: f.Type, optional: !f.Type.NonNull || f.DefaultValue != nil, document: document,
	}}
	def := s.Types[f.Type.Name()]
	if def.Kind != ast.InputObject {
		return all
	}
	for _, member := range def.Fields {
		all = append(all, places(s, def.Name, path+f.Name+".", member, func(definition, inner string) string {
			object := "{" + strings.Join(append(required(s, def.Fields, member.Name), inner), ", ") + "}"
			if f.Type.Elem != nil {
				object = "[" + object + "]"
			}
			return document(definition, object)
		})...)
	}
	return all
}

func positionsOf(s *ast.Schema) []position {
	all := positionsIn(s, s.Mutation, "mutation%s { %s }")
	return append(all, positionsIn(s, s.Types["AdminMutation"], "mutation%s { admin { %s } }")...)
}

// positionsIn are those of the fields of a type, which a format makes a
// document of.
func positionsIn(s *ast.Schema, of *ast.Definition, format string) []position {
	var all []position
	for _, mutation := range of.Fields {
		var fields ast.FieldList
		for _, arg := range mutation.Arguments {
			fields = append(fields, &ast.FieldDefinition{Name: arg.Name, Type: arg.Type, DefaultValue: arg.DefaultValue})
		}
		selection := ""
		if s.Types[mutation.Type.Name()].Kind == ast.Object {
			selection = " { __typename }"
		}
		for _, f := range fields {
			all = append(all, places(s, mutation.Name, "", f, func(definition, member string) string {
				return fmt.Sprintf(format, definition, mutation.Name+"("+strings.Join(append(required(s, fields, f.Name), member), ", ")+")"+selection)
			})...)
		}
	}
	return all
}

// Whatever a mutation names has a value: a null, however it is written, and a
// variable without a value are refused before anything is done. The positions
// are those of the schema.
func TestWhatIsNamedHasAValue(t *testing.T) {
	t.Parallel()
	s := controlSchema(t)
	g := openWorld(t, 1, 1)
	root := g.bootstrap(t)
	g.text(t, root, `mutation { admin { createUser(input: {username: "root", password: "a long password", allTenants: true, scopes: [ADMINISTER, CREATE_TOKENS, READ_DATA]}) { id } } }`, "id")
	session := g.text(t, "", `mutation { login(username: "root", password: "a long password") { token } }`, "token")
	decided := make(map[string]bool)
	for _, p := range positionsOf(s) {
		if p.optional {
			decided[p.name] = true
			if leftOut[p.name] == "" {
				t.Errorf("%s may be left out: decide in leftOut what that means", p.name)
			}
		}
		if _, errs := gqlparser.LoadQueryWithRules(s, p.document("", sample(s, p.typ)), rules.NewDefaultRules()); errs != nil {
			t.Errorf("%s: %v", p.name, errs)
		}
		token := session
		if strings.HasPrefix(p.name, "login.") {
			token = ""
		}
		nullable := strings.TrimSuffix(p.typ.String(), "!")
		asked := map[string][2]string{
			"null":              {p.document("", "null")},
			"a null variable":   {p.document("($v: "+nullable+")", "$v"), `{"v": null}`},
			"an absent one":     {p.document("($v: "+nullable+")", "$v"), `{}`},
			"a null by default": {p.document("($v: "+nullable+" = null)", "$v"), `{}`},
			"a variable's null": {p.document("($v: "+nullable+" = "+sample(s, p.typ)+")", "$v"), `{"v": null}`},
		}
		if p.typ.Elem != nil {
			asked["an item"] = [2]string{p.document("", "[null]")}
			asked["a variable's item"] = [2]string{p.document("($v: "+nullable+")", "$v"), `{"v": [null]}`}
		}
		if p.typ.NamedType == "String" && !p.typ.NonNull {
			asked["empty"] = [2]string{p.document("", `""`)}
			asked["an empty variable"] = [2]string{p.document("($v: String)", "$v"), `{"v": ""}`}
		}
		for how, ask := range asked {
			variables := ask[1]
			if variables == "" {
				variables = "{}"
			}
			answer := g.withVariables(t, token, ask[0], variables)
			var got struct {
				Data   json.RawMessage
				Errors []struct {
					Message    string
					Extensions struct{ Code string }
				}
			}
			if err := json.Unmarshal([]byte(answer[strings.Index(answer, "{"):]), &got); err != nil {
				t.Fatal(err)
			}
			said := ""
			if len(got.Errors) > 0 {
				said = got.Errors[0].Message
			}
			reason := slices.ContainsFunc([]string{p.path + " is ", `Variable "$v`, "found null"}, func(text string) bool { return strings.Contains(said, text) })
			if token == "" { // the anonymous are not told what is wrong with a document
				reason = reason || strings.Contains(answer, "UNAUTHENTICATED")
			}
			if got.Data != nil || !reason {
				t.Errorf("%s: %s\n%s\n%s", p.name, how, ask[0], answer)
			}
		}
	}
	for name := range leftOut {
		if !decided[name] {
			t.Errorf("leftOut knows %s, which need not be decided", name)
		}
	}
	if len(decided) < 50 {
		t.Errorf("only %d positions were found", len(decided))
	}
}

// An empty list is one: nothing of it, and never all.
func TestEmptyListsAreEmpty(t *testing.T) {
	t.Parallel()
	g := openWorld(t, 1, 1)
	root := g.bootstrap(t)
	g.check(t, root, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"acme"}}}}`)
	key := func(more string) string {
		return g.text(t, root, `mutation { admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: [CREATE_TOKENS, READ_DATA], roles: ["full"]`+more+`}) { token } } }`, "token")
	}
	viewer := `{ viewer { roles } datasets { name } }`
	const nothing = `200 {"data":{"viewer":{"roles":%s},"datasets":[]}}`
	noRoles, noDatasets := strings.Replace(nothing, "%s", "[]", 1), strings.Replace(nothing, "%s", `["full"]`, 1)
	full := key("")
	for mutation, want := range map[string]string{
		`createToken(input: {subject: "s", roles: []})`:                         noRoles,
		`createToken(input: {subject: "s", roles: ["full"], datasets: []})`:     noDatasets,
		`narrowToken(input: {roles: []})`:                                       noRoles,
		`narrowToken(input: {datasets: []})`:                                    noDatasets,
		`narrowToken(input: {roles: [], filters: [], datasets: ["customers"]})`: "no token",
	} {
		answer := g.query(t, full, `mutation { `+mutation+` { token } }`)
		token := madeText.FindString(answer)
		if (token == "") != (want == "no token") {
			t.Errorf("%s: %s", mutation, answer)
		} else if token != "" {
			g.check(t, token, viewer, want)
		}
	}
	shut := key(`, datasets: []`)
	g.check(t, shut, viewer, noDatasets)
	for _, mutation := range []string{
		`createToken(input: {subject: "s", roles: ["full"], datasets: ["customers"]})`,
		`narrowToken(input: {datasets: ["customers"]})`,
		`createToken(input: {subject: "s", roles: ["full"], filters: [{dataset: "customers", where: {id: {eq: 1}}}]})`,
	} {
		if answer := g.query(t, shut, `mutation { `+mutation+` { token } }`); !strings.Contains(answer, "FORBIDDEN") && !strings.Contains(answer, "BAD_USER_INPUT") {
			t.Errorf("%s: %s", mutation, answer)
		}
	}
	g.check(t, g.text(t, shut, `mutation { createToken(input: {subject: "s", roles: ["full"]}) { token } }`, "token"), viewer, noDatasets)
	g.check(t, g.text(t, root, `mutation { actAs(tenant: "acme", reason: "r", roles: []) { token } }`, "token"), viewer, noRoles)
	g.check(t, root, `mutation { admin { createUser(input: {tenant: "acme", username: "ann", password: "a long password", scopes: []}) { scopes } } }`, `200 {"data":{"admin":{"createUser":{"scopes":[]}}}}`)
	g.check(t, root, `mutation { admin { setUserRights(tenant: "acme", username: "ann", roles: [], scopes: []) { roles scopes } } }`, `200 {"data":{"admin":{"setUserRights":{"roles":[],"scopes":[]}}}}`)
	for mutation, why := range map[string]string{
		`admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: []}) { id } }`: "at least one scope",
		`admin { revokeTokens(by: {}) }`: "say what to revoke",
		`admin { revokeTokens(by: {tenant: "acme", issuedBefore: "0001-01-01T00:00:00Z"}) }`:                                                           "issuedBefore is before all time",
		`admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: [READ_DATA], expiresAt: "0001-01-01T00:00:00Z"}) { id } }`:                "expiresAt is before all time",
		`createToken(input: {tenant: "acme", subject: "s", expiresAt: "0001-01-01T00:00:00Z"}) { id }`:                                                 "expiresAt is before all time",
		`narrowToken(input: {expiresAt: "0001-01-01T00:00:00Z"}) { id }`:                                                                               "expiresAt is before all time",
		`createToken(input: {tenant: "acme", subject: "s", roles: ["full"], filters: [{dataset: "customers", where: {and: []}}]}) { id }`:              "allows everything",
		`createToken(input: {tenant: "acme", subject: "s", roles: ["full"], filters: [{dataset: "customers", where: {id: {}}}]}) { id }`:               "the comparison of id is empty",
		`createToken(input: {tenant: "acme", subject: "s", roles: ["full"], filters: [{dataset: "customers", where: {id: {gt: null}}}]}) { id }`:       "null is no value",
		`createToken(input: {tenant: "acme", subject: "s", roles: ["full"], filters: [{dataset: "customers", where: {orders: {some: null}}}]}) { id }`: "must be an object",
	} {
		if answer := g.query(t, root, `mutation { `+mutation+` }`); !strings.Contains(answer, why) {
			t.Errorf("%s: %s", mutation, answer)
		}
	}
	// Inside of JSON too, a variable has a value.
	const inside = `mutation($n: String) { createToken(input: {tenant: "acme", subject: "s", roles: ["full"], filters: [{dataset: "customers", where: {id: {gt: 0}, name: $n}}]}) { id } }`
	if answer := g.withVariables(t, root, inside, `{}`); !strings.Contains(answer, "input.filters.where.name is $n, which has no value") {
		t.Error(answer)
	}
}

// A body with variables.
func (g gate) withVariables(t *testing.T, token, text, variables string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": text, "variables": json.RawMessage(variables)})
	if err != nil {
		t.Fatal(err)
	}
	return plainAnswer(g.ask(t, token, string(body)))
}
