package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/answer"
	"usher/catalog"
	"usher/fault"
	"usher/graph"
	"usher/graph/requestid"
	"usher/principal"
	"usher/query"
	"usher/slot"
)

// resolver answers every request by a function and remembers it.
type resolver struct {
	answer func(ctx context.Context, r query.Request) (graph.Outcome, error)

	mu    sync.Mutex
	asked []query.Request
	keys  []graph.AskedKey // of operations
}

// looked is a field with the values of its slots.
func looked(f query.Field) query.Field {
	if f.Args != nil {
		f.Args = query.Look(f.Args).(query.Object)
	}
	for i := range f.Fields {
		f.Fields[i] = looked(f.Fields[i])
	}
	return f
}

func (r *resolver) Resolve(_ context.Context, asked graph.Asked) []graph.Task {
	r.mu.Lock()
	r.keys = append(r.keys, asked.Key)
	r.mu.Unlock()
	var tasks []graph.Task
	for i, q := range asked.Requests(slot.New(asked.Inputs)) {
		q.Field = looked(q.Field)
		tasks = append(tasks, graph.Task{Fields: []int{i}, Run: func(ctx context.Context) []graph.Outcome {
			r.mu.Lock()
			r.asked = append(r.asked, q)
			r.mu.Unlock()
			outcome, err := r.answer(ctx, q)
			outcome.Err = err
			return []graph.Outcome{outcome}
		}})
	}
	return tasks
}

// control answers the fields of the control plane that the tests ask.
type control struct {
	graph.QueryResolver
	mutations mutations
}

// admin answers those of the administration.
type admin struct{ graph.AdminQueryResolver }

func (c control) Query() graph.QueryResolver { return c }

func (c control) Mutation() graph.MutationResolver { return c.mutations }

func (c control) AdminQuery() graph.AdminQueryResolver { return admin{} }

func (c control) AdminTenant() graph.AdminTenantResolver { return nil } // no test asks for what a record leaves to the configuration

func (c control) AdminMutation() graph.AdminMutationResolver { return c.mutations }

func (control) Admin(context.Context) (*graph.AdminQuery, error) { return &graph.AdminQuery{}, nil }

func (admin) Tenant(_ context.Context, _ *graph.AdminQuery, id string) (*graph.AdminTenant, error) {
	if id == "none" {
		return nil, fault.New(fault.BadUserInput, "there is none")
	}
	return &graph.AdminTenant{ID: id}, nil
}

func (control) Authenticated(ctx context.Context) (bool, error) {
	_, err := principal.From(ctx)
	return err == nil, nil
}

func (control) Viewer(ctx context.Context) (*graph.Viewer, error) {
	who, err := principal.From(ctx)
	return &graph.Viewer{
		Subject: who.Subject, Tenant: &who.Tenant, Roles: append([]string{}, who.Roles...), Timezone: "UTC",
		TokenKind: graph.ViewerTokenKindJwt, Scopes: []graph.Scope{},
	}, err
}

func (control) Datasets(context.Context) ([]graph.Dataset, error) { return nil, nil }

func (control) Dataset(ctx context.Context, name string) (*graph.Dataset, error) {
	_, view, err := graph.ViewFrom(ctx)
	if err != nil || view.Dataset(name) == nil {
		return nil, err
	}
	return &graph.Dataset{Name: name, Key: []string{}}, nil
}

func (control) Table(ctx context.Context, q graph.TableQuery) (*graph.Table, error) {
	where, _ := q.Where.ValueOK()
	beside := graph.Outcome{Answer: answer.Answer{
		Errors:    gqlerror.List{{Err: fault.New(fault.NotImplemented, "JSON has no NaN"), Path: ast.Path{ast.PathName("t"), ast.PathName("rows")}}},
		Truncated: []ast.Path{{ast.PathName("t"), ast.PathName("rows")}},
	}}
	beside.Accompany(ctx)
	return &graph.Table{Columns: []graph.TableColumn{{Name: q.Dataset}}, Rows: graph.JSON{Encoded: query.AppendJSON(nil, where.Written)}}, nil
}

func empty(context.Context, query.Request) (graph.Outcome, error) {
	return graph.Outcome{Answer: answer.Of([]byte("[]"))}, nil
}

// service is an engine under test with its log.
type service struct {
	*graph.Engine
	resolver *resolver
	log      *bytes.Buffer
}

func serve(tb testing.TB, cat *catalog.Catalog, answer func(context.Context, query.Request) (graph.Outcome, error), options graph.Options) *service {
	tb.Helper()
	s := &service{resolver: &resolver{answer: answer}, log: &bytes.Buffer{}}
	options.Logger = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	engine, err := graph.NewEngine(cat, control{}, s.resolver, options)
	if err != nil {
		tb.Fatal(err)
	}
	s.Engine = engine
	return s
}

func tenant(roles ...string) principal.Principal {
	return principal.Principal{
		Subject: "ann", Tenant: "acme", TenantKey: "acme", Roles: roles, Kind: principal.JWT, Scopes: []principal.Scope{principal.ReadData},
	}
}

func (s *service) create(who principal.Principal, text string, variables string) (context.Context, *graphql.OperationContext, gqlerror.List) {
	ctx := requestid.With(principal.With(context.Background(), who), "r-1")
	params := &graphql.RawParams{Query: text}
	if variables != "" {
		d := json.NewDecoder(strings.NewReader(variables))
		d.UseNumber()
		if err := d.Decode(&params.Variables); err != nil {
			panic(err)
		}
	}
	op, errs := s.CreateOperationContext(ctx, params)
	return ctx, op, errs
}

// ask answers a document as a transport would, as JSON text.
func (s *service) ask(tb testing.TB, who principal.Principal, text string, variables ...string) string {
	tb.Helper()
	ctx, op, errs := s.create(who, text, strings.Join(variables, ""))
	var response *graphql.Response
	if errs != nil {
		response = s.DispatchError(graphql.WithOperationContext(ctx, op), errs)
		out, err := json.Marshal(struct {
			Errors gqlerror.List `json:"errors"`
		}{response.Errors})
		if err != nil {
			tb.Fatal(err)
		}
		return string(out)
	}
	responses, ctx := s.DispatchOperation(ctx, op)
	response = responses(ctx)
	if next := responses(ctx); next != nil {
		tb.Error("a query was answered twice")
	}
	out, err := json.Marshal(response)
	if err != nil {
		tb.Fatal(err)
	}
	return string(out)
}

func check(tb testing.TB, got, want string) {
	tb.Helper()
	if got != want {
		tb.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFieldsOfBothKindsInTheOrderAsked(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), func(_ context.Context, r query.Request) (graph.Outcome, error) {
		return graph.Outcome{Answer: answer.Of([]byte(`[{"id":"` + r.Field.Key + `"}]`))}, nil
	}, graph.Options{})
	check(t, s.ask(t, tenant(), `{ b: orders { id } viewer { subject tenant roles timezone expiresAt } __typename
		a: customers { id } dataset(name: "items") { name key label } }`),
		`{"data":{"b":[{"id":"b"}],"viewer":{"subject":"ann","tenant":"acme","roles":[],"timezone":"UTC","expiresAt":null},`+
			`"__typename":"Query","a":[{"id":"a"}],"dataset":{"name":"items","key":[],"label":null}}}`)
}

func TestAFailingFieldIsNullAndTheOthersAnswer(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), func(_ context.Context, r query.Request) (graph.Outcome, error) {
		switch r.Field.Key {
		case "known":
			return graph.Outcome{}, fault.New(fault.Unavailable, "the source does not answer").WithHint("Try again.").Because(errors.New("dial tcp 10.0.0.1"))
		case "raw":
			return graph.Outcome{}, errors.New("pq: password authentication failed")
		case "wrapped":
			return graph.Outcome{}, gqlerror.Wrap(errors.New("pq: secret table"))
		case "panics":
			panic("index out of secret range")
		case "nothing":
			return graph.Outcome{}, nil
		}
		return graph.Outcome{Answer: answer.Of([]byte("[]"))}, nil
	}, graph.Options{})
	check(t, s.ask(t, tenant(), `{ known: orders { id } raw: orders { id } wrapped: orders { id }
panics: orders { id } nothing: orders { id } fine: orders { id } }`),
		`{"errors":[`+
			`{"message":"the source does not answer","path":["known"],"locations":[{"line":1,"column":3}],"extensions":{"code":"UNAVAILABLE","hint":"Try again.","requestId":"r-1"}},`+
			`{"message":"internal error","path":["raw"],"locations":[{"line":1,"column":24}],"extensions":{"code":"INTERNAL","requestId":"r-1"}},`+
			`{"message":"internal error","path":["wrapped"],"locations":[{"line":1,"column":43}],"extensions":{"code":"INTERNAL","requestId":"r-1"}},`+
			`{"message":"internal error","path":["panics"],"locations":[{"line":2,"column":1}],"extensions":{"code":"INTERNAL","requestId":"r-1"}},`+
			`{"message":"internal error","path":["nothing"],"locations":[{"line":2,"column":23}],"extensions":{"code":"INTERNAL","requestId":"r-1"}}],`+
			`"data":{"known":null,"raw":null,"wrapped":null,"panics":null,"nothing":null,"fine":[]}}`)
	for _, cause := range []string{"10.0.0.1", "password authentication", "secret range", "r-1"} {
		if !strings.Contains(s.log.String(), cause) {
			t.Errorf("the log lacks %q", cause)
		}
	}
	for line := range strings.Lines(s.log.String()) {
		if (strings.Contains(line, "a GraphQL error") || strings.Contains(line, "panicked")) && !strings.Contains(line, " tenant=acme ") {
			t.Errorf("whose error is it: %s", line)
		}
	}
}

func TestWhatIsSaidBesideAnAnswer(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), func(_ context.Context, r query.Request) (graph.Outcome, error) {
		path := ast.Path{ast.PathName(r.Field.Key), ast.PathIndex(0), ast.PathName("weight")}
		a := answer.Of([]byte(`[{"weight":null}]`))
		a.Errors = gqlerror.List{{Err: fault.New(fault.NotImplemented, "JSON has no NaN"), Path: path}}
		a.Truncated = []ast.Path{{ast.PathName(r.Field.Key)}}
		return graph.Outcome{Answer: a}, nil
	}, graph.Options{})
	check(t, s.ask(t, tenant(), `{ a: orders { weight } b: orders { weight } }`),
		`{"errors":[{"message":"JSON has no NaN","path":["a",0,"weight"],"extensions":{"code":"NOT_IMPLEMENTED","requestId":"r-1"}},`+
			`{"message":"JSON has no NaN","path":["b",0,"weight"],"extensions":{"code":"NOT_IMPLEMENTED","requestId":"r-1"}}],`+
			`"data":{"a":[{"weight":null}],"b":[{"weight":null}]},"extensions":{"truncated":[["a"],["b"]]}}`)
}

// A viewer without a principal cannot happen; a control field that fails and
// may not be null takes the whole answer with it.
func TestAFailingFieldThatMayNotBeNull(t *testing.T) {
	t.Parallel()
	engine, err := graph.NewEngine(shop(t, nil), broken{}, &resolver{answer: empty}, graph.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s := &service{Engine: engine}
	check(t, s.ask(t, tenant(), `{ orders { id } viewer { subject } }`),
		`{"errors":[{"message":"internal error","path":["viewer"],"locations":[{"line":1,"column":17}],"extensions":{"code":"INTERNAL","requestId":"r-1"}}],"data":null}`)
}

type broken struct{ control }

func (b broken) Query() graph.QueryResolver { return b }

func (broken) Viewer(context.Context) (*graph.Viewer, error) { return nil, errors.New("no viewer") }

func TestRootFieldsRunAtOnceWithinABound(t *testing.T) {
	t.Parallel()
	var running, most atomic.Int32
	third := make(chan struct{})
	s := serve(t, shop(t, nil), func(ctx context.Context, _ query.Request) (graph.Outcome, error) {
		n := running.Add(1)
		defer running.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		if n == 3 {
			select {
			case <-third:
			default:
				close(third)
			}
		}
		select { // all wait until three run at once
		case <-third:
			return graph.Outcome{Answer: answer.Of([]byte("[]"))}, nil
		case <-ctx.Done():
			return graph.Outcome{}, ctx.Err()
		}
	}, graph.Options{Concurrency: 3})
	ctx, cancel := context.WithTimeout(principal.With(t.Context(), tenant()), 10*time.Second)
	defer cancel()
	var text strings.Builder
	for i := range 9 {
		fmt.Fprintf(&text, "f%d: orders { id } ", i)
	}
	op, errs := s.CreateOperationContext(ctx, &graphql.RawParams{Query: "{" + text.String() + "}"})
	if errs != nil {
		t.Fatal(errs)
	}
	responses, ctx := s.DispatchOperation(ctx, op)
	if response := responses(ctx); response == nil || len(response.Errors) > 0 {
		t.Fatalf("got %+v", response)
	}
	if most.Load() != 3 {
		t.Errorf("%d fields ran at once, want 3", most.Load())
	}
}

func TestNoPrincipalNoAnswer(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), empty, graph.Options{})
	check(t, s.ask(t, principal.Principal{}, `{ orders { id } }`),
		`{"errors":[{"message":"no valid token was shown","extensions":{"code":"UNAUTHENTICATED","requestId":"r-1"}}]}`)
}

func TestGrantsOfWhatDoesNotExist(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, clerks()), empty, graph.Options{})
	const refused = `{"errors":[{"message":"the token grants what does not exist here","extensions":{"code":"FORBIDDEN",` +
		`"hint":"Issue a token with roles and datasets of the current configuration.","requestId":"r-1"}}]}`
	check(t, s.ask(t, tenant("emperor"), `{ __typename }`), refused)
	who := tenant("clerk")
	who.Grant.Datasets = []string{"orders", "planets"}
	check(t, s.ask(t, who, `{ __typename }`), refused)
}

// A document that is valid for one principal is not for another, whatever was
// cached before.
func TestDocumentsBelongToTheView(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, clerks()), empty, graph.Options{})
	const text = `{ orders { secret } }`
	for range 2 {
		check(t, s.ask(t, tenant("all"), text), `{"data":{"orders":[]}}`)
		got := s.ask(t, tenant("clerk"), text)
		if !strings.Contains(got, `Cannot query field \"secret\" on type \"Orders\".`) {
			t.Errorf("a clerk got %s", got)
		}
	}
	if n := len(s.resolver.asked); n != 2 {
		t.Errorf("the resolver was asked %d times, want 2", n)
	}
}

// Principals who see the same columns share a schema, but each is resolved
// with the rights of their own roles.
func TestTheViewOfARequestHasItsOwnRights(t *testing.T) {
	t.Parallel()
	var filtered []bool
	s := serve(t, shop(t, clerks()), func(ctx context.Context, _ query.Request) (graph.Outcome, error) {
		_, view, err := graph.ViewFrom(ctx)
		if err != nil {
			return graph.Outcome{}, err
		}
		rights := view.Dataset("orders").Rights()
		filtered = append(filtered, len(rights) == 1 && rights[0].Filter != nil)
		return graph.Outcome{Answer: answer.Of([]byte("[]"))}, nil
	}, graph.Options{})
	for _, role := range []string{"clerk", "regional", "clerk"} {
		check(t, s.ask(t, tenant(role), `{ orders { id } }`), `{"data":{"orders":[]}}`)
	}
	if got := fmt.Sprint(filtered); got != "[false true false]" {
		t.Errorf("filtered: %s, want the second only", got)
	}
}

// A catalog whose names cannot be one schema has no engine.
func TestNamesOfNoSchema(t *testing.T) {
	t.Parallel()
	bad := planets()
	bad.Type = "BigIntWhere"
	if _, err := graph.NewEngine(compile(t, map[string]catalog.DatasetSpec{"planets": bad}, nil), nil, nil, graph.Options{}); err == nil {
		t.Error("a catalog with the type BigIntWhere was accepted")
	}
}

func TestConcurrentPrincipals(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, clerks()), empty, graph.Options{Views: 2})
	s.resolver.answer = empty
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			role := []string{"clerk", "regional", "buyer", "all"}[i%4]
			if got := s.ask(t, tenant(role), `{ orders { region } viewer { roles } }`); got != `{"data":{"orders":[],"viewer":{"roles":["`+role+`"]}}}` {
				t.Errorf("%s got %s", role, got)
			}
		})
	}
	group.Wait()
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, clerks()), empty, graph.Options{})
	check(t, s.ask(t, tenant("clerk"), `{ a: __type(name: "OrdersKey") { fields { name } } b: __type(name: "Customers") { name } c: __type(name: "Nothing") { name } }`),
		`{"data":{"a":{"fields":[{"name":"id_"},{"name":"customer_id"},{"name":"region"},{"name":"amount"}]},"b":null,"c":null}}`)
}

// What callers write in JSON arrives with its digits, from the document and
// from variables, and what is said beside a table is said beside the others.
func TestATableIsAnsweredByTheControlPlane(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), func(_ context.Context, r query.Request) (graph.Outcome, error) {
		a := answer.Of([]byte(`[]`))
		a.Truncated = []ast.Path{{ast.PathName(r.Field.Key)}}
		return graph.Outcome{Answer: a}, nil
	}, graph.Options{})
	check(t, s.ask(t, tenant(), `query($d: String!, $n: JSON, $absent: JSON) { orders { id } t: table(query: {dataset: $d, where:
			{b: {gte: 123456789012345678901234567890.10, lt: $n, eq: $absent}, a: [OPEN, null, true]}}) { columns { name } rows } }`,
		`{"d": "orders", "n": 10000000000000000000000.50}`),
		`{"errors":[{"message":"JSON has no NaN","path":["t","rows"],"extensions":{"code":"NOT_IMPLEMENTED","requestId":"r-1"}}],`+
			`"data":{"orders":[],"t":{"columns":[{"name":"orders"}],"rows":{"a":["OPEN",null,true],`+
			`"b":{"gte":123456789012345678901234567890.10,"lt":10000000000000000000000.50}}}},`+
			`"extensions":{"truncated":[["orders"],["t","rows"]]}}`)
}
