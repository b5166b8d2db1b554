package resolvers

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"

	"usher/fault"
	"usher/graph"
	"usher/pgtest"
	"usher/principal"
	"usher/query"
	"usher/tenancy"
	"usher/tenancy/database"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// office answers administration with the generated code alone: which fields a
// view shows is another matter.
type office struct {
	t     *testing.T
	store *tenancy.Store
	exec  *executor.Executor
}

func openOffice(t *testing.T, spec database.Spec) *office {
	t.Helper()
	store, err := tenancy.Open(t.Context(), spec, tenancy.Options{
		Key:      tenancy.SealKey{ID: "k1", Secret: []byte("0123456789abcdef0123456789abcdef")},
		Password: tenancy.PasswordCost{MemoryKiB: 64, Passes: 1},
		Check: func(p principal.Principal) error {
			for _, f := range p.Grant.Filters {
				if f.Dataset != "orders" {
					return fault.New(fault.BadUserInput, "there is no dataset %s", f.Dataset)
				}
			}
			return nil
		},
		CheckRole: func(principal.Principal, string, string, json.RawMessage) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return &office{t: t, store: store, exec: executor.New(graph.NewExecutableSchema(graph.Config{Resolvers: &Resolver{Control: store}}))}
}

// embedded is an office whose store is a file.
func embedded(t *testing.T) *office {
	t.Helper()
	return openOffice(t, database.Spec{Path: filepath.Join(t.TempDir(), "control.duckdb")})
}

// answer asks as p; p is nil for nobody. The error is the first one's cause.
func (o *office) answer(p *principal.Principal, document, variables string) (string, error) {
	o.t.Helper()
	ctx := graphql.StartOperationTrace(o.t.Context())
	if p != nil {
		ctx = principal.With(ctx, *p)
	}
	var given map[string]any
	if variables != "" {
		d := json.NewDecoder(strings.NewReader(variables))
		d.UseNumber()
		if err := d.Decode(&given); err != nil {
			o.t.Fatal(err)
		}
	}
	op, errs := o.exec.CreateOperationContext(ctx, &graphql.RawParams{Query: document, Variables: given})
	if errs != nil {
		return "", errs
	}
	handler, ctx := o.exec.DispatchOperation(ctx, op)
	response := handler(ctx)
	if len(response.Errors) > 0 {
		return string(response.Data), response.Errors[0].Err
	}
	return string(response.Data), nil
}

// ask wants an answer, and reads it into out.
func (o *office) ask(p principal.Principal, document, variables string, out any) string {
	o.t.Helper()
	data, err := o.answer(&p, document, variables)
	if err != nil {
		o.t.Fatalf("%s\n%v", document, err)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(data), out); err != nil {
			o.t.Fatal(err)
		}
	}
	return data
}

// refused wants the code, and text in the message.
func (o *office) refused(p principal.Principal, document, variables string, code fault.Code, message string) {
	o.t.Helper()
	data, err := o.answer(&p, document, variables)
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != code || !strings.Contains(f.Message, message) {
		o.t.Errorf("%s\ngot %s and %v, want %s: %s", document, data, err, code, message)
	}
}

func allScopes() []principal.Scope {
	return []principal.Scope{principal.Administer, principal.CreateTokens, principal.ReadData, principal.WriteData}
}

func root() principal.Principal {
	return principal.Principal{Subject: "root", Issuer: "idp", AllTenants: true, Scopes: allScopes()}
}

func bossOf(tenant string) principal.Principal {
	return principal.Principal{Subject: "boss", Issuer: "idp", Tenant: tenant, TenantKey: tenant, Roles: []string{"viewer"}, Scopes: allScopes()}
}

// reader of a tenant administers nothing.
func reader(tenant string) principal.Principal {
	return principal.Principal{Subject: "ann", Issuer: "idp", Tenant: tenant, TenantKey: tenant, Scopes: []principal.Scope{principal.ReadData}}
}

func (o *office) tenant(id string) {
	o.t.Helper()
	o.ask(root(), `mutation($id: String!) { admin { createTenant(input: {id: $id}) { id } } }`, `{"id": "`+id+`"}`, nil)
}

type issued struct{ ID, Token, ExpiresAt string }

func (o *office) as(token string) principal.Principal {
	o.t.Helper()
	p, err := o.store.Authenticate(o.t.Context(), token)
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

// Each field of administration, once in the good case: on both databases.
func TestAdministration(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]func(*testing.T) database.Spec{
		"duckdb": func(t *testing.T) database.Spec {
			return database.Spec{Path: filepath.Join(t.TempDir(), "control.duckdb")}
		},
		"postgres": func(t *testing.T) database.Spec {
			db := pgtest.Start(t).Database(t)
			return database.Spec{Postgres: &database.Postgres{
				Hosts: []database.Host{{Name: db.Host, Port: db.Port}}, Database: db.Name, User: db.User, Password: db.Password, SSLMode: "disable",
			}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t, spec(t))
			o.tenants()
			o.keysAndTokens()
			o.people()
			o.roles()
			o.saved()
			o.log()
		})
	}
}

func (o *office) want(got, want string) {
	o.t.Helper()
	if got != want {
		o.t.Errorf("got  %s\nwant %s", got, want)
	}
}

const tenantFields = `{ id key name status strategy accounts { source set } }`

func (o *office) tenants() {
	o.want(o.ask(root(), `mutation { admin { createTenant(input: {id: "acme", key: "17", name: "Acme", strategy: "database", accounts: [
		{source: "silo", host: "db", port: 5433, user: "acme", password: "canary-1"},
		{source: "api", baseUrl: "https://acme.example", headers: [{name: "X-Key", value: "canary-2"}], properties: [{name: "region", value: "canary-3"}]}
	]}) `+tenantFields+` } }`, "", nil),
		`{"admin":{"createTenant":{"id":"acme","key":"17","name":"Acme","status":"ACTIVE","strategy":"database","accounts":[`+
			`{"source":"api","set":["baseUrl","headers.X-Key","properties.region"]},{"source":"silo","set":["host","port","user","password"]}]}}}`)
	o.tenant("globex")
	o.tenant("gone")
	o.want(o.ask(root(), `mutation { admin { renameTenant(id: "acme", name: "Acme Ltd") { name } } }`, "", nil), `{"admin":{"renameTenant":{"name":"Acme Ltd"}}}`)
	o.want(o.ask(root(), `mutation { admin { setTenantStrategy(id: "acme") { strategy } } }`, "", nil), `{"admin":{"setTenantStrategy":{"strategy":null}}}`)
	o.want(o.ask(root(), `mutation { admin { setTenantAccounts(id: "acme", accounts: [{source: "silo", database: "acme"}]) { accounts { source set } } } }`, "", nil),
		`{"admin":{"setTenantAccounts":{"accounts":[{"source":"silo","set":["database"]}]}}}`)
	o.want(o.ask(root(), `mutation { admin { setTenantAccount(id: "acme", account: {source: "api", baseUrl: "https://acme.example"}) { accounts { source set } } } }`, "", nil),
		`{"admin":{"setTenantAccount":{"accounts":[{"source":"api","set":["baseUrl"]},{"source":"silo","set":["database"]}]}}}`)
	o.want(o.ask(root(), `mutation { admin { removeTenantAccount(id: "acme", source: "api") { accounts { source set } } } }`, "", nil),
		`{"admin":{"removeTenantAccount":{"accounts":[{"source":"silo","set":["database"]}]}}}`)
	o.want(o.ask(root(), `mutation { admin { suspendTenant(id: "acme") { status } } }`, "", nil), `{"admin":{"suspendTenant":{"status":"SUSPENDED"}}}`)
	o.want(o.ask(root(), `mutation { admin { resumeTenant(id: "acme") { status } } }`, "", nil), `{"admin":{"resumeTenant":{"status":"ACTIVE"}}}`)
	o.want(o.ask(root(), `mutation { admin { deleteTenant(id: "gone") { status } } }`, "", nil), `{"admin":{"deleteTenant":{"status":"DELETED"}}}`)
	o.want(o.ask(root(), `{ admin { tenants(limit: 2) { items { id } next } } }`, "", nil), `{"admin":{"tenants":{"items":[{"id":"acme"},{"id":"globex"}],"next":"globex"}}}`)
	o.want(o.ask(root(), `{ admin { tenants(after: "globex") { items { id } next } } }`, "", nil), `{"admin":{"tenants":{"items":[{"id":"gone"}],"next":null}}}`)
	o.want(o.ask(root(), `{ admin { tenants(search: "LTD") { items { id } } } }`, "", nil), `{"admin":{"tenants":{"items":[{"id":"acme"}]}}}`)
	o.want(o.ask(bossOf("acme"), `{ admin { tenant(id: "acme") { id key } } }`, "", nil), `{"admin":{"tenant":{"id":"acme","key":"17"}}}`)
	o.want(o.ask(root(), `{ admin { tenant(id: "nobody") { id } } }`, "", nil), `{"admin":{"tenant":null}}`)
}

func (o *office) keysAndTokens() {
	var made struct {
		Admin                           struct{ CreateServiceKey issued }
		CreateToken, NarrowToken, ActAs issued
	}
	o.ask(root(), `mutation { admin { createServiceKey(input: {name: "backend", tenant: "acme", scopes: [CREATE_TOKENS, READ_DATA], roles: ["viewer"],
		mayGrant: {accounts: ["silo"], parameters: ["distributor"], metadata: ["team"]}}) { id token expiresAt } } }`, "", &made)
	key := made.Admin.CreateServiceKey
	if !strings.HasPrefix(key.Token, "usher_sk_"+key.ID) || key.ExpiresAt != "" {
		o.t.Errorf("the key is %+v", key)
	}
	o.want(o.ask(root(), `{ admin { serviceKeys(tenant: "acme", living: true) { items { name tenant scopes roles datasets
		mayGrant { strategies accounts parameters metadata } mintedBy expiresAt revokedAt } next } } }`, "", nil),
		`{"admin":{"serviceKeys":{"items":[{"name":"backend","tenant":"acme","scopes":["CREATE_TOKENS","READ_DATA"],"roles":["viewer"],"datasets":null,`+
			`"mayGrant":{"strategies":[],"accounts":["silo"],"parameters":["distributor"],"metadata":["team"]},"mintedBy":"root","expiresAt":null,"revokedAt":null}],"next":null}}}`)
	o.ask(o.as(key.Token), `mutation($token: NewToken!) { createToken(input: $token) { id token expiresAt } }`, `{"token": {
		"subject": "ann", "name": "Ann", "email": "ann@acme.example", "roles": ["viewer"], "datasets": ["orders"],
		"filters": [{"dataset": "orders", "where": {"amount": {"lt": 12345678901234567890.10}}}],
		"parameters": [{"name": "distributor", "value": ["canary-4"]}], "metadata": [{"name": "team", "value": "canary-5"}],
		"accounts": [{"source": "silo", "user": "canary-6", "password": "canary-7"}], "timezone": "Europe/Brussels", "inactivitySeconds": 600, "rate": 60}}`, &made)
	ann := o.as(made.CreateToken.Token)
	where, _ := ann.Grant.Filters[0].Where.(query.Object)
	amount, _ := where.Get("amount")
	less, _ := amount.(query.Object).Get("lt")
	if less != query.Number("12345678901234567890.10") {
		o.t.Errorf("the filter compares with %v", less)
	}
	if a := ann.Grant.Accounts["silo"]; a.User != "canary-6" || a.Password != "canary-7" || ann.Grant.Metadata["team"] != query.Text("canary-5") {
		o.t.Errorf("the token grants %+v", ann.Grant.Metadata)
	}
	listed := o.ask(bossOf("acme"), `{ admin { tokens(subject: "ann", living: true) { items { kind tenant subject name email roles scopes strategy datasets filtered
		parameters metadata accounts { source set } savedOnly rate inactivitySeconds mintedBy actedBy reason revokedAt } next } } }`, "", nil)
	o.want(listed, `{"admin":{"tokens":{"items":[{"kind":"EMBED","tenant":"acme","subject":"ann","name":"Ann","email":"ann@acme.example","roles":["viewer"],"scopes":["READ_DATA"],`+
		`"strategy":null,"datasets":["orders"],"filtered":["orders"],"parameters":["distributor"],"metadata":["team"],`+
		`"accounts":[{"source":"silo","set":["user","password"]}],"savedOnly":false,"rate":60,"inactivitySeconds":600,"mintedBy":"backend","actedBy":null,"reason":null,"revokedAt":null}],"next":null}}}`)

	o.ask(ann, `mutation { narrowToken(input: {savedOnly: true, datasets: ["orders"], rate: 5}) { id token expiresAt } }`, "", &made)
	if narrow := o.as(made.NarrowToken.Token); !narrow.Grant.SavedOnly || len(narrow.Grant.Filters) != 1 {
		o.t.Errorf("narrowed to %+v", narrow.Grant.Datasets)
	}
	o.want(o.ask(bossOf("acme"), `mutation($id: String!) { admin { revokeTokens(by: {token: $id}) } }`, `{"id": "`+made.CreateToken.ID+`"}`, nil), `{"admin":{"revokeTokens":2}}`)
	o.want(o.ask(root(), `mutation($id: String!) { admin { revokeServiceKey(id: $id) } }`, `{"id": "`+key.ID+`"}`, nil), `{"admin":{"revokeServiceKey":1}}`)
	o.want(o.ask(root(), `mutation { admin { revokeTokens(by: {tenant: "globex", subject: "nobody", issuer: "usher", issuedBefore: "2026-01-01T00:00:00Z"}) } }`, "", nil), `{"admin":{"revokeTokens":0}}`)

	o.ask(root(), `mutation { actAs(tenant: "acme", reason: "a question of theirs", minutes: 5, roles: ["viewer"]) { id token expiresAt } }`, "", &made)
	if acting := o.as(made.ActAs.Token); acting.Tenant != "acme" || acting.Acting == nil || acting.Acting.Reason != "a question of theirs" || len(acting.Scopes) != 1 {
		o.t.Errorf("acts as %+v", acting.Acting)
	}
	o.want(o.ask(root(), `{ admin { tokens(kind: SESSION, tenant: "acme") { items { kind actedBy reason } } } }`, "", nil),
		`{"admin":{"tokens":{"items":[{"kind":"SESSION","actedBy":"root","reason":"a question of theirs"}]}}}`)
}

func (o *office) people() {
	o.want(o.ask(root(), `mutation { admin { createUser(input: {tenant: "acme", username: "Bob", password: "a long password", name: "Bob", scopes: [READ_DATA, ADMINISTER]}) {
		tenant username name email status roles scopes } } }`, "", nil),
		`{"admin":{"createUser":{"tenant":"acme","username":"bob","name":"Bob","email":null,"status":"ACTIVE","roles":[],"scopes":["READ_DATA","ADMINISTER"]}}}`)
	o.ask(root(), `mutation { admin { createUser(input: {allTenants: true, username: "ops", password: "another long one"}) { id } } }`, "", nil)
	o.want(o.ask(bossOf("acme"), `{ admin { users { items { username } next } user(username: "BOB") { username } nobody: user(username: "eve") { id } } }`, "", nil),
		`{"admin":{"users":{"items":[{"username":"bob"}],"next":null},"user":{"username":"bob"},"nobody":null}}`)
	o.want(o.ask(root(), `{ admin { users { items { tenant username } } } }`, "", nil), `{"admin":{"users":{"items":[{"tenant":null,"username":"ops"}]}}}`)
	o.want(o.ask(bossOf("acme"), `mutation { admin { setUserRights(username: "bob", roles: ["viewer"], scopes: [READ_DATA]) { roles scopes } } }`, "", nil),
		`{"admin":{"setUserRights":{"roles":["viewer"],"scopes":["READ_DATA"]}}}`)

	login := func(password string) (s issued) {
		o.t.Helper()
		data, err := o.answer(nil, `mutation($p: String!) { login(username: "acme|bob", password: $p) { id token expiresAt } }`, `{"p": "`+password+`"}`)
		if err != nil {
			o.t.Fatal(err)
		}
		var got struct{ Login issued }
		if err := json.Unmarshal([]byte(data), &got); err != nil {
			o.t.Fatal(err)
		}
		return got.Login
	}
	session := login("a long password")
	o.want(o.ask(o.as(session.Token), `mutation { changePassword(old: "a long password", new: "a longer password") }`, "", nil), `{"changePassword":true}`)
	o.want(o.ask(o.as(session.Token), `mutation { logout }`, "", nil), `{"logout":true}`)
	if _, err := o.store.Authenticate(o.t.Context(), session.Token); !errors.Is(err, tenancy.ErrRevoked) {
		o.t.Errorf("after logging out: %v", err)
	}
	o.want(o.ask(bossOf("acme"), `mutation { admin { setPassword(username: "bob", password: "the longest password") { username } } }`, "", nil), `{"admin":{"setPassword":{"username":"bob"}}}`)
	login("the longest password")
	o.want(o.ask(bossOf("acme"), `mutation { admin { setUserStatus(username: "bob", status: DISABLED) { status } } }`, "", nil), `{"admin":{"setUserStatus":{"status":"DISABLED"}}}`)
	o.want(o.ask(bossOf("acme"), `mutation { admin { deleteUser(username: "bob") } }`, "", nil), `{"admin":{"deleteUser":true}}`)
}

func (o *office) roles() {
	o.want(o.ask(bossOf("acme"), `mutation($spec: JSON!) { admin { putRole(name: "clerk", spec: $spec) { tenant name spec } } }`,
		`{"spec": {"datasets": {"orders": {"limit": 10, "filter": {"amount": {"lt": 1.50}}}}}}`, nil),
		`{"admin":{"putRole":{"tenant":"acme","name":"clerk","spec":{"datasets":{"orders":{"filter":{"amount":{"lt":1.50}},"limit":10}}}}}}`)
	o.want(o.ask(root(), `{ admin { roles(tenant: "acme") { name } } }`, "", nil), `{"admin":{"roles":[{"name":"clerk"}]}}`)
	o.want(o.ask(bossOf("acme"), `mutation { admin { deleteRole(name: "clerk") } }`, "", nil), `{"admin":{"deleteRole":true}}`)
}

func (o *office) saved() {
	var made struct{ CreateSavedQuery struct{ ID string } }
	data := o.ask(reader("acme"), `mutation($v: JSON!) { createSavedQuery(input: {name: "top", document: "{ orders { id } }", variables: $v, shared: true}) {
		id name owner description document variables shared } }`, `{"v": {"n": 1.50}}`, &made)
	id := made.CreateSavedQuery.ID
	o.want(data, `{"createSavedQuery":{"id":"`+id+`","name":"top","owner":"ann","description":null,"document":"{ orders { id } }","variables":{"n":1.50},"shared":true}}`)
	o.want(o.ask(reader("acme"), `mutation($id: String!) { updateSavedQuery(id: $id, input: {name: "top", document: "{ orders { amount } }"}) { document variables } }`, `{"id": "`+id+`"}`, nil),
		`{"updateSavedQuery":{"document":"{ orders { amount } }","variables":null}}`)
	o.want(o.ask(reader("acme"), `query($id: String!) { savedQueries { items { name } next } a: savedQuery(id: $id) { name } b: savedQuery(name: "top") { name } c: savedQuery(name: "none") { name } }`, `{"id": "`+id+`"}`, nil),
		`{"savedQueries":{"items":[{"name":"top"}],"next":null},"a":{"name":"top"},"b":{"name":"top"},"c":null}`)
	o.want(o.ask(reader("globex"), `query($id: String!) { savedQueries { items { name } } savedQuery(id: $id) { name } }`, `{"id": "`+id+`"}`, nil),
		`{"savedQueries":{"items":[]},"savedQuery":null}`)
	o.want(o.ask(reader("acme"), `mutation($id: String!) { deleteSavedQuery(id: $id) }`, `{"id": "`+id+`"}`, nil), `{"deleteSavedQuery":true}`)
}

func (o *office) log() {
	o.want(o.ask(bossOf("acme"), `{ admin { auditLog(filter: {operation: "actAs"}) { items { kind subject tenant operation outcome detail datasets rows } next } } }`, "", nil),
		`{"admin":{"auditLog":{"items":[{"kind":"ADMINISTRATION","subject":"root","tenant":"acme","operation":"actAs","outcome":"done","detail":"a question of theirs","datasets":[],"rows":0}],"next":null}}}`)
	all := o.ask(root(), `{ admin { auditLog(limit: 500) { items { id at kind subject issuer tokenId tenant actedBy reason operation hash datasets strategy source rows durationMs outcome detail } } } }`, "", nil)
	if strings.Contains(all, "canary") || strings.Contains(all, "password\":") {
		o.t.Errorf("the audit log holds a value: %s", all)
	}
	future := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	o.want(o.ask(root(), `query($t: Timestamp!) { admin { auditLog(filter: {from: $t, kind: DATA, acted: true}) { items { id } } } }`, `{"t": "`+future+`"}`, nil), `{"admin":{"auditLog":{"items":[]}}}`)
}

// No answer holds what was put in as a secret or a value.
func TestAdministrationShowsNoValues(t *testing.T) {
	t.Parallel()
	o := embedded(t)
	o.ask(root(), `mutation { admin { createTenant(input: {id: "acme", accounts: [{source: "silo", host: "canary", port: 4711, database: "canary", schema: "canary", user: "canary",
		password: "canary", baseUrl: "canary", headers: [{name: "h", value: "canary"}], properties: [{name: "p", value: "canary"}]}]}) { id } } }`, "", nil)
	o.ask(root(), `mutation { createToken(input: {tenant: "acme", subject: "ann", filters: [{dataset: "orders", where: {region: {eq: "canary"}}}],
		parameters: [{name: "p", value: "canary"}], metadata: [{name: "m", value: "canary"}], accounts: [{source: "silo", password: "canary"}]}) { id } }`, "", nil)
	o.ask(root(), `mutation { admin { createUser(input: {tenant: "acme", username: "bob", password: "canary-canary"}) { id } } }`, "", nil)
	for _, document := range []string{
		`{ admin { tenants { items { id key name status strategy accounts { source set } createdAt changedAt } } } }`,
		`{ admin { tokens { items { id kind tenant subject name email roles scopes strategy datasets filtered parameters metadata accounts { source set } savedOnly rate
			inactivitySeconds mintedBy actedBy reason createdAt expiresAt lastUsedAt revokedAt } } } }`,
		`{ admin { users(tenant: "acme") { items { id tenant username name email status roles scopes createdAt changedAt } } } }`,
		`{ admin { auditLog { items { subject issuer tokenId tenant operation hash datasets strategy source outcome detail } } } }`,
	} {
		if got := o.ask(root(), document, "", nil); strings.Contains(got, "canary") || strings.Contains(got, "4711") {
			t.Errorf("it shows a value: %s", got)
		}
	}
}

// Who administers nothing, or another tenant, is refused by every field of
// administration, and changes nothing.
func TestAdministrationIsRefused(t *testing.T) {
	t.Parallel()
	o := embedded(t)
	o.tenant("acme")
	o.tenant("globex")
	o.ask(root(), `mutation { admin { createUser(input: {tenant: "acme", username: "bob", password: "a long password"}) { id } } }`, "", nil)
	global := []string{
		`{ admin { tenants { next } } }`,
		`mutation { admin { createTenant(input: {id: "new"}) { id } } }`,
		`mutation { admin { setTenantStrategy(id: "acme") { id } } }`,
		`mutation { admin { setTenantAccounts(id: "acme", accounts: []) { id } } }`,
		`mutation { admin { setTenantAccount(id: "acme", account: {source: "silo", user: "x"}) { id } } }`,
		`mutation { admin { removeTenantAccount(id: "acme", source: "silo") { id } } }`,
		`{ admin { configuredTenants { next } } }`,
		`mutation { admin { suspendTenant(id: "acme") { id } } }`,
		`mutation { admin { resumeTenant(id: "acme") { id } } }`,
		`mutation { admin { deleteTenant(id: "acme") { id } } }`,
		`mutation { actAs(tenant: "acme", reason: "why not") { id } }`,
		`mutation { admin { createServiceKey(input: {name: "k", allTenants: true, scopes: [READ_DATA]}) { id } } }`,
		`mutation { admin { createUser(input: {allTenants: true, username: "eve", password: "a long password"}) { id } } }`,
	}
	ofTenant := []string{
		`{ admin { tenant(id: "acme") { id } } }`,
		`{ admin { tokens(tenant: "acme") { next } } }`,
		`{ admin { serviceKeys(tenant: "acme") { next } } }`,
		`{ admin { users(tenant: "acme") { next } } }`,
		`{ admin { configuredTenant(id: "acme") { id } } }`,
		`mutation { admin { unlockUser(tenant: "acme", username: "bob") { id } } }`,
		`mutation { admin { endUserSessions(tenant: "acme", username: "bob") } }`,
		`{ admin { user(tenant: "acme", username: "bob") { id } } }`,
		`{ admin { roles(tenant: "acme") { name } } }`,
		`{ admin { auditLog(filter: {tenant: "acme"}) { next } } }`,
		`mutation { admin { renameTenant(id: "acme", name: "Ours") { id } } }`,
		`mutation { admin { revokeTokens(by: {tenant: "acme"}) } }`,
		`mutation { admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: [READ_DATA]}) { id } } }`,
		`mutation { admin { createUser(input: {tenant: "acme", username: "eve", password: "a long password"}) { id } } }`,
		`mutation { admin { setUserRights(tenant: "acme", username: "bob", roles: [], scopes: []) { id } } }`,
		`mutation { admin { setUserStatus(tenant: "acme", username: "bob", status: DISABLED) { id } } }`,
		`mutation { admin { setPassword(tenant: "acme", username: "bob", password: "a long password") { id } } }`,
		`mutation { admin { deleteUser(tenant: "acme", username: "bob") } }`,
		`mutation { admin { putRole(tenant: "acme", name: "r", spec: {}) { name } } }`,
		`mutation { admin { deleteRole(tenant: "acme", name: "r") } }`,
		`mutation { createToken(input: {tenant: "acme", subject: "eve"}) { id } }`,
	}
	for _, document := range append(global, ofTenant...) {
		o.refused(reader("globex"), document, "", fault.Forbidden, "")
		o.refused(bossOf("globex"), document, "", fault.Forbidden, "")
	}
	for _, document := range global {
		o.refused(bossOf("acme"), document, "", fault.Forbidden, "")
	}
	for _, document := range append(global, ofTenant...) {
		if _, err := o.answer(nil, document, ""); fault.From(err).Code != fault.Unauthenticated {
			t.Errorf("nobody: %s\n%v", document, err)
		}
	}
	o.want(o.ask(root(), `{ admin { tenant(id: "acme") { name status } user(tenant: "acme", username: "bob") { status scopes } roles(tenant: "acme") { name } } }`, "", nil),
		`{"admin":{"tenant":{"name":"acme","status":"ACTIVE"},"user":{"status":"ACTIVE","scopes":["READ_DATA"]},"roles":[]}}`)
}

// A minter grants no more than it holds, and nothing that is unknown; a null
// where a list restricts is not taken for "all".
func TestCreateTokenIsRefused(t *testing.T) {
	t.Parallel()
	o := embedded(t)
	o.tenant("acme")
	minter := bossOf("acme")
	minter.Grant.Datasets = []string{"orders"}
	const create = `mutation($t: NewToken!) { createToken(input: $t) { id } }`
	for variables, want := range map[string]struct {
		code    fault.Code
		message string
	}{
		`{"t": {"subject": "a", "roles": ["owner"]}}`:                                                                            {fault.Forbidden, "role owner"},
		`{"t": {"subject": "a", "strategy": "database"}}`:                                                                        {fault.Forbidden, "strategy database"},
		`{"t": {"subject": "a", "datasets": ["orders", "wages"]}}`:                                                               {fault.Forbidden, "dataset wages"},
		`{"t": {"subject": "a", "parameters": [{"name": "p", "value": 1}]}}`:                                                     {fault.Forbidden, "parameter p"},
		`{"t": {"subject": "a", "metadata": [{"name": "m", "value": "v"}]}}`:                                                     {fault.Forbidden, "metadata m"},
		`{"t": {"subject": "a", "accounts": [{"source": "silo", "user": "u"}]}}`:                                                 {fault.Forbidden, "source silo"},
		`{"t": {"subject": "a", "datasets": null}}`:                                                                              {fault.BadUserInput, "datasets is null"},
		`{"t": {"subject": "a", "filters": [{"dataset": "wages", "where": {"a": {"eq": 1}}}]}}`:                                  {fault.BadUserInput, "no dataset wages"},
		`{"t": {"subject": "a", "filters": [{"dataset": "orders", "where": {}}]}}`:                                               {fault.BadUserInput, "no condition"},
		`{"t": {"subject": "a", "filters": [{"dataset": "orders", "where": "x"}]}}`:                                              {fault.BadUserInput, "no condition"},
		`{"t": {"subject": "a", "metadata": [{"name": "m", "value": "1"}, {"name": "m", "value": "2"}]}}`:                        {fault.BadUserInput, "metadata \"m\" is given twice"},
		`{"t": {"subject": "a", "accounts": [{"source": "s", "host": "a"}, {"source": "s", "host": "b"}]}}`:                      {fault.BadUserInput, "the account of source \"s\" is given twice"},
		`{"t": {"subject": "a", "accounts": [{"source": "s", "headers": [{"name":"h","value":"1"},{"name":"h","value":"2"}]}]}}`: {fault.BadUserInput, "header \"h\" is given twice"},
		`{"t": {"subject": "a", "inactivitySeconds": 119}}`:                                                                      {fault.BadUserInput, "at least 120 seconds"},
		`{"t": {"subject": "a", "rate": -1}}`:                                                                                    {fault.BadUserInput, "rate"},
		`{"t": {"subject": "a", "expiresAt": "2020-01-01T00:00:00Z"}}`:                                                           {fault.BadUserInput, "expired already"},
		`{"t": {"subject": "a", "expiresAt": "0001-01-01T00:00:00Z"}}`:                                                           {fault.BadUserInput, "before all time"},
		`{"t": {"subject": "a", "expiresAt": "2100-01-01T00:00:00Z"}}`:                                                           {fault.BadUserInput, "live longer"},
		`{"t": {"subject": "", "roles": []}}`:                                                                                    {fault.BadUserInput, "subject is missing"},
	} {
		o.refused(minter, create, variables, want.code, want.message)
	}
	for _, unknown := range []string{
		`{"t": {"subject": "a", "connectionOverrides": []}}`,
		`{"t": {"subject": "a", "accounts": [{"source": "silo", "passwort": "x"}]}}`,
		`{"t": {"subject": "a", "filters": null}}`,
		`{"t": {"subject": "a", "savedOnly": null}}`,
		`{"t": {"subject": "a", "filters": [{"dataset": "orders"}]}}`,
	} {
		if got, err := o.answer(&minter, create, unknown); err == nil {
			t.Errorf("%s: %s", unknown, got)
		}
	}
	holder := o.as(func() string {
		var made struct{ CreateToken issued }
		o.ask(minter, `mutation { createToken(input: {subject: "ann", roles: ["viewer"]}) { id token } }`, "", &made)
		return made.CreateToken.Token
	}())
	o.refused(holder, create, `{"t": {"subject": "eve"}}`, fault.Forbidden, "tokens:create")
	o.refused(holder, `{ admin { tokens { next } } }`, "", fault.Forbidden, "scope admin")
	o.refused(holder, `mutation { narrowToken(input: {roles: ["owner"]}) { id } }`, "", fault.Forbidden, "role owner")
	for _, list := range []string{"roles", "datasets"} {
		o.refused(holder, `mutation($l: [String!]) { narrowToken(input: {`+list+`: $l}) { id } }`, `{"l": null}`, fault.BadUserInput, list+" is null")
	}
}

// A variable that was forgotten does not revoke everything.
func TestRevocationRefusesNulls(t *testing.T) {
	t.Parallel()
	o := embedded(t)
	o.tenant("acme")
	for _, member := range []string{"token", "subject", "tenant", "issuer", "issuedBefore"} {
		o.refused(root(), `mutation($by: Revocation!) { admin { revokeTokens(by: $by) } }`, `{"by": {"tenant": "acme", "`+member+`": null}}`, fault.BadUserInput, member+" is null")
	}
	o.refused(root(), `mutation { admin { revokeTokens(by: {tenant: "acme", issuedBefore: "0001-01-01T00:00:00Z"}) } }`, "", fault.BadUserInput, "issuedBefore is before all time")
	o.refused(root(), `mutation { admin { revokeTokens(by: {token: ""}) } }`, "", fault.BadUserInput, "token is empty")
	o.refused(root(), `mutation { admin { revokeTokens(by: {}) } }`, "", fault.BadUserInput, "say what to revoke")
	o.refused(root(), `mutation { admin { revokeServiceKey(id: "") } }`, "", fault.BadUserInput, "say which key")
}

func TestAdministrationAsksForATenant(t *testing.T) {
	t.Parallel()
	o := embedded(t)
	o.tenant("acme")
	for _, document := range []string{
		`mutation { admin { createUser(input: {username: "eve", password: "a long password"}) { id } } }`,
		`mutation { admin { createUser(input: {tenant: "", username: "eve", password: "a long password"}) { id } } }`,
		`mutation { admin { putRole(name: "r", spec: {}) { name } } }`,
		`mutation { admin { deleteRole(name: "r") } }`,
		`{ admin { roles { name } } }`,
	} {
		o.refused(root(), document, "", fault.BadUserInput, "say which tenant")
	}
	o.refused(root(), `mutation { admin { createUser(input: {tenant: "acme", allTenants: true, username: "eve", password: "a long password"}) { id } } }`, "", fault.BadUserInput, "explicitly of all")
	o.refused(root(), `{ admin { tenants(limit: 0) { next } } }`, "", fault.BadUserInput, "1 to 500")
	o.refused(root(), `mutation { actAs(tenant: "acme", reason: "r", minutes: 0) { id } }`, "", fault.BadUserInput, "1 to 60 minutes")
	o.refused(reader("acme"), `{ savedQuery { id } }`, "", fault.BadUserInput, "either")
	o.refused(reader("acme"), `{ savedQuery(id: "a", name: "b") { id } }`, "", fault.BadUserInput, "either")
}

func TestWithoutControlStore(t *testing.T) {
	t.Parallel()
	o := &office{t: t, exec: executor.New(graph.NewExecutableSchema(graph.Config{Resolvers: &Resolver{}}))}
	o.refused(root(), `{ admin { tenants { next } } }`, "", fault.NotImplemented, "without a control store")
	o.refused(root(), `mutation { login(username: "a", password: "b") { id } }`, "", fault.NotImplemented, "without a control store")
}
