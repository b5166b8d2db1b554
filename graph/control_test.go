package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/fault"
	"usher/graph"
	"usher/principal"
)

// mutations answers those mutations that the tests ask, and notes them.
type mutations struct {
	graph.MutationResolver
	graph.AdminMutationResolver
	done *[]string
}

func (m mutations) Admin(context.Context) (*graph.AdminMutation, error) {
	return &graph.AdminMutation{}, nil
}

func (m mutations) RenameTenant(_ context.Context, _ *graph.AdminMutation, id string, name string) (*graph.AdminTenant, error) {
	*m.done = append(*m.done, id+" "+name)
	if name == "" {
		return nil, fault.New(fault.BadUserInput, "the name is missing")
	}
	return &graph.AdminTenant{ID: id, Name: name, Status: graph.TenantStatusActive}, nil
}

func (m mutations) DeleteUser(_ context.Context, _ *graph.AdminMutation, _ *string, username string) (*bool, error) {
	*m.done = append(*m.done, "delete "+username)
	if username == "panic" {
		panic("out of order")
	}
	if username == "busy" {
		later := fault.New(fault.Unavailable, "later")
		later.RetryAfter = time.Second
		return nil, later
	}
	return new(true), nil
}

func (m mutations) Logout(context.Context) (*bool, error) { return new(true), nil }

func (m mutations) Login(_ context.Context, _ *string, username string, password string) (*graph.IssuedToken, error) {
	*m.done = append(*m.done, "login "+username)
	if password != "right" {
		wrong := fault.New(fault.Unauthenticated, "wrong")
		return nil, wrong
	}
	return &graph.IssuedToken{ID: "id", Token: "text"}, nil
}

func (m mutations) CreateToken(_ context.Context, in graph.NewToken) (*graph.IssuedToken, error) {
	if in.Subject == "nobody" {
		return nil, fault.New(fault.Unavailable, "the store is away")
	}
	return &graph.IssuedToken{ID: "id", Token: "text"}, nil
}

// administered is an engine with a control plane, and what its mutations did.
func administered(tb testing.TB, options graph.Options) (*graph.Engine, *[]string) {
	tb.Helper()
	done := new([]string)
	options.Administration = true
	options.Logger = slog.New(slog.DiscardHandler)
	engine, err := graph.NewEngine(shop(tb, nil), control{mutations: mutations{done: done}}, &resolver{answer: empty}, options)
	if err != nil {
		tb.Fatal(err)
	}
	return engine, done
}

func administrator() principal.Principal {
	return principal.Principal{Subject: "root", AllTenants: true, Kind: principal.ServiceKey, Scopes: []principal.Scope{principal.Administer}}
}

// answerOf is the answer to a request in a context, as one line of JSON.
func answerOf(ctx context.Context, engine *graph.Engine, params *graphql.RawParams) string {
	op, errs := engine.CreateOperationContext(ctx, params)
	var response *graphql.Response
	if errs != nil {
		response = engine.DispatchError(graphql.WithOperationContext(ctx, op), errs)
	} else {
		next, ctx := engine.DispatchOperation(ctx, op)
		response = next(ctx)
	}
	var said []string
	for _, e := range response.Errors {
		said = append(said, fmt.Sprintf("%v %v: %s", e.Path, e.Extensions["code"], e.Message))
	}
	if response.Data == nil {
		response.Data = json.RawMessage("none")
	}
	return strings.TrimSpace(string(response.Data) + " " + strings.Join(said, "; "))
}

func TestMutations(t *testing.T) {
	t.Parallel()
	f := func(text, want string, does ...string) {
		t.Helper()
		engine, done := administered(t, graph.Options{})
		got := answerOf(principal.With(t.Context(), administrator()), engine, &graphql.RawParams{Query: text})
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
		if !slices.Equal(*done, does) {
			t.Errorf("%s did %q, want %q", text, *done, does)
		}
	}
	// One after another, in the order of the document.
	var text, want strings.Builder
	var does []string
	for i := range 20 {
		fmt.Fprintf(&text, ` m%d: renameTenant(id: "t%[1]d", name: "n") { id }`, i)
		fmt.Fprintf(&want, `,"m%d":{"id":"t%[1]d"}`, i)
		does = append(does, fmt.Sprintf("t%d n", i))
	}
	f("mutation { __typename admin { __typename "+text.String()+" } }", `{"__typename":"Mutation","admin":{"__typename":"AdminMutation"`+want.String()+`}}`, does...)
	// One that fails leaves the others their answers, below admin and beside it.
	f(`mutation { admin { a: renameTenant(id: "a", name: "x") { id } b: renameTenant(id: "b", name: "") { id } c: renameTenant(id: "c", name: "y") { id } } }`,
		`{"admin":{"a":{"id":"a"},"b":null,"c":{"id":"c"}}} admin.b BAD_USER_INPUT: the name is missing`, "a x", "b ", "c y")
	f(`mutation { admin { renameTenant(id: "a", name: "x") { id } } a: createToken(input: {subject: "nobody"}) { token } b: createToken(input: {subject: "s"}) { token } }`,
		`{"admin":{"renameTenant":{"id":"a"}},"a":null,"b":{"token":"text"}} a UNAVAILABLE: the store is away`, "a x")
	// Several fields admin, aliases, fragments and directives: each field once, in its place.
	f(`mutation { x: admin { a: deleteUser(username: "ann") } ...f y: admin { a: deleteUser(username: "bob") } x: admin { b: deleteUser(username: "eve") } }
		fragment f on Mutation { x: admin { ... on AdminMutation @include(if: true) { c: deleteUser(username: "kim") d: deleteUser(username: "no") @skip(if: true) } } }`,
		`{"x":{"a":true,"c":true,"b":true},"y":{"a":true}}`, "delete ann", "delete kim", "delete eve", "delete bob")
	f(`mutation { admin { deleteUser(username: "ann") @skip(if: true) } x: admin @skip(if: true) { deleteUser(username: "bob") } }`, `{"admin":{}}`)
	f(`mutation { x: admin { a: deleteUser(username: "busy") } }`, `none x.a UNAVAILABLE: later`, "delete busy")
	f(`mutation { x: admin { a: deleteUser(username: "busy") b: deleteUser(username: "ann") } }`, `{"x":{"a":null,"b":true}} x.a UNAVAILABLE: later`, "delete busy", "delete ann")
	f(`mutation { x: admin { a: renameTenant(id: "\u0000", name: "x") { id } } }`, `{"x":{"a":null}} x.a BAD_USER_INPUT: id: text must be UTF-8 without NUL`)

	f(`mutation { admin { a: deleteUser(username: "panic") b: deleteUser(username: "ann") } }`, `{"admin":{"a":null,"b":true}} admin.a INTERNAL: internal error`, "delete panic", "delete ann")
	f(`mutation { admin { renameTenant(id: "a", name: "x") { id @skip(if: true) name } } }`, `{"admin":{"renameTenant":{"name":"x"}}}`, "a x")
	f(`mutation { admin { renameTenant(id: "a", name: "x") @include(if: false) { id } } __typename }`, `{"admin":{},"__typename":"Mutation"}`)
	f(`mutation { orders { id } }`, `none  GRAPHQL_VALIDATION_FAILED: Cannot query field "orders" on type "Mutation".`)
	f(`subscription { viewer { tenant } }`, `none  GRAPHQL_VALIDATION_FAILED: Schema does not support operation type "subscription"`)
}

// What is administered is read below admin, beside datasets. A field that fails
// leaves all others their answers.
func TestAdminOfQueries(t *testing.T) {
	t.Parallel()
	engine, _ := administered(t, graph.Options{Limits: graph.Limits{RootFields: 3}})
	who := administrator()
	who.Scopes, who.Roles = append(who.Scopes, principal.ReadData), nil
	f := func(text, want string) {
		t.Helper()
		if got := answerOf(principal.With(t.Context(), who), engine, &graphql.RawParams{Query: text}); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	f(`{ orders { id } admin { __typename a: tenant(id: "none") { id } } }`, `{"orders":[],"admin":{"__typename":"AdminQuery","a":null}} admin.a BAD_USER_INPUT: there is none`)
	f(`{ x: admin { tenant(id: "acme") { id } } ... on Query { x: admin { b: tenant(id: "b") { id } } } }`, `{"x":{"tenant":{"id":"acme"},"b":{"id":"b"}}}`)
	f(`query($s: Boolean = true) { admin { tenant(id: "acme") @skip(if: $s) { id } } authenticated }`, `{"admin":{},"authenticated":true}`)
	f(`{ admin { a: tenant(id: "\u0000") { id } } }`, `{"admin":{"a":null}} admin.a BAD_USER_INPUT: id: text must be UTF-8 without NUL`)
	f(`{ admin { id } }`, `none  GRAPHQL_VALIDATION_FAILED: Cannot query field "id" on type "AdminQuery".`)
	f(`{ admin { __schema { types { name } } } }`, `none  GRAPHQL_VALIDATION_FAILED: Cannot query field "__schema" on type "AdminQuery".`)
	// Each is an operation of its own, and counts as a field of the root.
	f(`{ admin { a: __typename b: __typename c: __typename d: __typename } }`, `none  TOO_COMPLEX: the operation has more than 3 root fields`)
	f(`{ x: admin { a: __typename b: __typename } y: admin { ...f } } fragment f on AdminQuery { a: __typename b: __typename }`, `none  TOO_COMPLEX: the operation has more than 3 root fields`)
	// Nobody who administers nothing learns that there is such a field.
	who = tenant()
	f(`{ admin { tenant(id: "acme") { id } } }`, `none  GRAPHQL_VALIDATION_FAILED: Cannot query field "admin" on type "Query".`)
	f(`{ __type(name: "AdminQuery") { name } }`, `{"__type":null}`)
}

// What a mutation names has a value, or nothing is done.
func TestMutationsNameValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, variables, want string }{
		{`mutation { admin { deleteUser(tenant: null, username: "ann") } }`, `{}`, "none  BAD_USER_INPUT: tenant is null"},
		{`mutation { admin { deleteUser(tenant: "", username: "ann") } }`, `{}`, "none  BAD_USER_INPUT: tenant is empty"},
		{`mutation($t: String) { admin { deleteUser(tenant: $t, username: "ann") } }`, `{"t": null}`, "none  BAD_USER_INPUT: tenant is null"},
		{`mutation($t: String) { admin { deleteUser(tenant: $t, username: "ann") } }`, `{"t": ""}`, "none  BAD_USER_INPUT: tenant is empty"},
		{`mutation($t: String) { admin { deleteUser(tenant: $t, username: "ann") } }`, `{}`, "none  BAD_USER_INPUT: tenant is $t, which has no value"},
		{`mutation($t: String) { admin { a: deleteUser(username: "ann") ... { b: deleteUser(tenant: $t, username: "bob") } } }`, `{}`, "none  BAD_USER_INPUT: tenant is $t, which has no value"},
		{`mutation($t: String) { admin { a: deleteUser(username: "ann") ...f } } fragment f on AdminMutation { b: deleteUser(tenant: $t, username: "bob") }`, `{}`, "none  BAD_USER_INPUT: tenant is $t, which has no value"},
		{`mutation($t: String = "acme") { admin { deleteUser(tenant: $t, username: "ann") } }`, `{}`, `{"admin":{"deleteUser":true}}`},
		{`mutation($t: [TokenFilter!]) { createToken(input: {subject: "s", filters: $t}) { id } }`, `{"t": null}`, "none  BAD_USER_INPUT: input.filters is null"},
		{`mutation($t: NewToken!) { createToken(input: $t) { id } }`, `{"t": {"subject": "s", "datasets": null}}`, "none  BAD_USER_INPUT: input.datasets is null"},
		{`mutation($t: JSON!) { createToken(input: {subject: "s", filters: [{dataset: "orders", where: {id: $t}}]}) { id } }`, `{"t": {"isNull": null}}`, `{"createToken":{"id":"id"}}`},
	} {
		engine, done := administered(t, graph.Options{})
		var variables map[string]any
		if err := json.Unmarshal([]byte(c.variables), &variables); err != nil {
			t.Fatal(err)
		}
		got := answerOf(principal.With(t.Context(), administrator()), engine, &graphql.RawParams{Query: c.text, Variables: variables})
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
		if strings.HasPrefix(c.want, "none") && len(*done) > 0 {
			t.Errorf("%s did %q", c.text, *done)
		}
	}
}

// One text, asked by several: what one is shown is unknown to the other, in
// either order, and nothing hints at it.
func TestAdministrationIsHidden(t *testing.T) {
	t.Parallel()
	engine, done := administered(t, graph.Options{})
	ask := func(who principal.Principal, text string) string {
		return answerOf(principal.With(t.Context(), who), engine, &graphql.RawParams{Query: text})
	}
	const rename = `mutation { admin { renameTenant(id: "a", name: "x") { id } } }`
	const hidden = `none  GRAPHQL_VALIDATION_FAILED: Cannot query field "admin" on type "Mutation".`
	embed := tenant()
	embed.Kind = principal.EmbedToken
	for range 2 {
		if got := ask(tenant(), rename); got != hidden {
			t.Errorf("a tenant is told %s", got)
		}
		if got := ask(embed, rename); got != hidden {
			t.Errorf("a browser is told %s", got)
		}
		if got := ask(administrator(), rename); got != `{"admin":{"renameTenant":{"id":"a"}}}` {
			t.Errorf("an administrator is told %s", got)
		}
	}
	if len(*done) != 2 {
		t.Errorf("done is %q", *done)
	}
	const types = `{ __schema { mutationType { name } types { name } } __type(name: "AdminTenant") { name } }`
	if got := ask(administrator(), types); !strings.Contains(got, `"AdminTenant"`) || !strings.Contains(got, `{"mutationType":{"name":"Mutation"}`) {
		t.Errorf("an administrator sees %s", got)
	}
	got := ask(embed, types)
	for _, word := range []string{"Tenant", "IssuedToken", "Audit", "User", "Admin", "Saved", "Input"} {
		if strings.Contains(got, `"`+word) {
			t.Errorf("a browser sees %s in %s", word, got)
		}
	}
	if !strings.Contains(got, `"__type":null`) || !strings.Contains(got, `"mutationType":{"name":"Mutation"}`) || !strings.Contains(got, `"Orders"`) {
		t.Errorf("a browser sees %s", got)
	}
}

// Without the scope data:read there are no datasets, whatever the roles say.
func TestReadingNeedsItsScope(t *testing.T) {
	t.Parallel()
	engine, _ := administered(t, graph.Options{})
	key := tenant()
	key.Kind, key.Scopes = principal.ServiceKey, []principal.Scope{principal.CreateTokens}
	for _, field := range []string{"orders { id }", "ordersAggregate { count }", "datasets { name }", `dataset(name: "orders") { name }`, `table(query: {dataset: "orders"}) { rows }`} {
		name, _, _ := strings.Cut(field, " ")
		name, _, _ = strings.Cut(name, "(")
		got := answerOf(principal.With(t.Context(), key), engine, &graphql.RawParams{Query: "{ " + field + " }"})
		if !strings.HasPrefix(got, `none  GRAPHQL_VALIDATION_FAILED: Cannot query field "`+name+`"`) {
			t.Errorf("%s: %s", field, got)
		}
	}
	if got := answerOf(principal.With(t.Context(), key), engine, &graphql.RawParams{Query: `mutation { createToken(input: {subject: "s"}) { token } }`}); got != `{"createToken":{"token":"text"}}` {
		t.Error(got)
	}
	if got := answerOf(principal.With(t.Context(), tenant()), engine, &graphql.RawParams{Query: `{ orders { id } }`}); got != `{"orders":[]}` {
		t.Error(got)
	}
}

// The anonymous log in and learn that a token is missing; nothing else.
func TestAnonymous(t *testing.T) {
	t.Parallel()
	engine, done := administered(t, graph.Options{})
	ctx := principal.WithAnonymous(t.Context())
	const missing = "none  UNAUTHENTICATED: no valid token was shown"
	f := func(text, want string, variables map[string]any) {
		t.Helper()
		if got := answerOf(ctx, engine, &graphql.RawParams{Query: text, Variables: variables}); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	f(`{ authenticated }`, `{"authenticated":false}`, nil)
	f(`mutation { login(tenant: "acme", username: "ann", password: "right") { token } }`, `{"login":{"token":"text"}}`, nil)
	f(`mutation { login(username: "acme|ann", password: "wrong") { token } }`, `{"login":null} login UNAUTHENTICATED: wrong`, nil)
	const withVariables = `mutation($u: String!, $p: String!) { login(username: $u, password: $p) { token } }`
	f(withVariables, `{"login":{"token":"text"}}`, map[string]any{"u": "ann", "p": "right"})
	f(withVariables, `none  BAD_USER_INPUT: Variable "$p" cannot be used: it is missing.`, map[string]any{"u": "ann"})
	f(`{ __type(name: "Mutation") { fields { name } } }`, `{"__type":{"fields":[{"name":"login"}]}}`, nil)
	f(`{ __type(name: "AdminTenant") { name } }`, `{"__type":null}`, nil)
	if !slices.Equal(*done, []string{"login ann", "login acme|ann", "login ann"}) {
		t.Errorf("done is %q", *done)
	}
	for _, text := range []string{
		`{ orders { id } }`, `{ viewer { subject } }`, `{ nothing }`, `{`, ``, `{ authenticated b: authenticated }`,
		`mutation { logout }`, `mutation { login(username: "a", password: "b") { token } logout }`,
		`mutation { a: login(username: "a", password: "b") { token } b: login(username: "a", password: "c") { token } }`,
		`mutation { admin { renameTenant(id: "a", name: "x") { id } } }`, `mutation { login(username: "a") { token } }`,
		strings.Repeat("{ a ", 20_000), `query a { authenticated } query b { authenticated }`,
	} {
		f(text, missing, nil)
	}
	if len(*done) != 3 {
		t.Errorf("done is %q", *done)
	}
	// Without administration there is nobody to log in to.
	plain := serve(t, shop(t, nil), empty, graph.Options{})
	for _, text := range []string{`{ authenticated }`, `mutation { login(username: "a", password: "b") { token } }`} {
		if got := answerOf(ctx, plain.Engine, &graphql.RawParams{Query: text}); got != missing {
			t.Errorf("%s: %s", text, got)
		}
	}
	// Who has shown a token is not anonymous.
	if got := answerOf(principal.With(ctx, tenant()), engine, &graphql.RawParams{Query: `{ authenticated }`}); got != `{"authenticated":true}` {
		t.Error(got)
	}
	// A principal of no tenant is refused, not taken for somebody anonymous.
	if got := answerOf(principal.With(ctx, principal.Principal{}), engine, &graphql.RawParams{Query: `{ authenticated }`}); got != missing {
		t.Error(got)
	}
}

func TestSavedOperations(t *testing.T) {
	t.Parallel()
	var asked []graph.SavedName
	engine, _ := administered(t, graph.Options{Saved: func(_ context.Context, who principal.Principal, name graph.SavedName) (string, map[string]any, error) {
		asked = append(asked, name)
		switch {
		case who.Tenant != "acme":
			return "", nil, errors.New("asked for another tenant")
		case name.Name == "sales" || name.ID == "s1":
			return `query q($n: Int!, $m: Int) { orders(limit: $n, offset: $m) { id } }`, map[string]any{"n": json.Number("5"), "m": json.Number("1")}, nil
		case name.Name == "secret":
			return `{ orders { tenant_id } }`, nil, nil
		case name.Name == "rename":
			return `mutation { admin { renameTenant(id: "a", name: "x") { id } } }`, nil, nil
		}
		return "", nil, fault.New(fault.NotFound, "there is no saved query %s", name.Name)
	}})
	only := tenant()
	only.Grant.SavedOnly = true
	f := func(who principal.Principal, params graphql.RawParams, want string) {
		t.Helper()
		if got := answerOf(principal.With(t.Context(), who), engine, &params); got != want {
			t.Errorf("%+v\n got %s\nwant %s", params, got, want)
		}
	}
	named := func(extension any) graphql.RawParams {
		return graphql.RawParams{Extensions: map[string]any{"savedQuery": extension}}
	}
	sales := named(map[string]any{"name": "sales"})
	for _, who := range []principal.Principal{tenant(), only} {
		f(who, sales, `{"orders":[]}`)
		f(who, named(map[string]any{"id": "s1"}), `{"orders":[]}`)
		with := sales
		with.Variables = map[string]any{"n": "five"}
		f(who, with, `none  BAD_USER_INPUT: Variable "$n" cannot be used: it is no value of the type "Int".`)
		with.Variables = map[string]any{"n": nil}
		f(who, with, `none  BAD_USER_INPUT: Variable "$n" cannot be used: it is null, and the type is "Int!".`)
		f(who, named(map[string]any{"name": "none"}), `none  NOT_FOUND: there is no saved query none`)
		// What is saved is validated against the view of who asks.
		f(who, named(map[string]any{"name": "secret"}), `none  GRAPHQL_VALIDATION_FAILED: Cannot query field "tenant_id" on type "Orders".`)
		for _, bad := range []any{nil, "sales", map[string]any{}, map[string]any{"name": ""}, map[string]any{"name": 7}, map[string]any{"name": "a", "id": "b"}, map[string]any{"name": "a", "x": 1}, []any{}} {
			f(who, named(bad), `none  BAD_USER_INPUT: the extension savedQuery must be an object with either the name or the id of a saved query`)
		}
		both := sales
		both.Query = `{ orders { id } }`
		f(who, both, `none  BAD_USER_INPUT: the request has a text and names a saved query: only one of them can be meant`)
	}
	if asked[0] != (graph.SavedName{Name: "sales"}) || asked[1] != (graph.SavedName{ID: "s1"}) {
		t.Errorf("asked for %+v", asked)
	}
	const refused = `none  FORBIDDEN: the token is for saved queries only`
	for _, text := range []string{`{ orders { id } }`, `{ __schema { types { name } } }`, `{`, ``, `{ viewer { subject } }`} {
		f(only, graphql.RawParams{Query: text}, refused)
	}
	f(tenant(), graphql.RawParams{Query: `{ orders { id } }`}, `{"orders":[]}`)
	reader := tenant()
	reader.Kind = principal.EmbedToken
	f(reader, named(map[string]any{"name": "rename"}), `none  GRAPHQL_VALIDATION_FAILED: Cannot query field "admin" on type "Mutation".`)

	plain := serve(t, shop(t, nil), empty, graph.Options{})
	if got := answerOf(principal.With(t.Context(), tenant()), plain.Engine, &sales); got != `none  NOT_FOUND: no queries are saved here` {
		t.Error(got)
	}
}

// A caller who has to wait is told for how long.
func TestRetryAfterIsSaid(t *testing.T) {
	t.Parallel()
	busy := fault.New(fault.TooManyRequests, "too many")
	busy.RetryAfter = 1500 * 1000 * 1000
	engine, _ := administered(t, graph.Options{})
	got := engine.DispatchError(t.Context(), gqlerror.List{gqlerror.Wrap(busy)})
	if got.Errors[0].Extensions["retryAfter"] != 2 {
		t.Errorf("got %v", got.Errors[0].Extensions)
	}
}

// What no store keeps reaches none, and is the caller's fault.
func TestTextsThatNoStoreKeeps(t *testing.T) {
	t.Parallel()
	engine, done := administered(t, graph.Options{})
	ctx := principal.With(t.Context(), administrator())
	for text, variables := range map[string]map[string]any{
		`mutation { admin { deleteUser(username: "a\u0000") } }`:                      {},
		`mutation { admin { deleteUser(username: "\u{0}") } }`:                        {},
		`mutation ($n: String!) { admin { deleteUser(username: $n) } }`:               {"n": "\x00"},
		`mutation ($n: String!) { admin { renameTenant(id: "a", name: $n) { id } } }`: {"n": "b\x00"},
	} {
		if got := answerOf(ctx, engine, &graphql.RawParams{Query: text, Variables: variables}); !strings.Contains(got, "BAD_USER_INPUT") {
			t.Errorf("%s: %s", text, got)
		}
	}
	if len(*done) > 0 {
		t.Errorf("%q was done", *done)
	}
}
