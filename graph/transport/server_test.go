package transport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/fault"
	"usher/graph/client"
	"usher/graph/transport"
	"usher/principal"
	"usher/query"
)

const (
	goodToken = "good-token"
	badToken  = "bad-token"
)

// schemaText is what the schema below answers, by hand.
const schemaText = `
scalar Decimal
type Query {
  exact: Float
  echo(value: Decimal): String
  fail: String
  panic: String
  wait: String
  principal: String
  client: String
}
type Mutation { count: Int }
type Subscription { ticks: Int }
`

// schema is the smallest executable schema that can be audited.
type schema struct {
	parsed  *ast.Schema
	waiting chan struct{} // gets a value when the field wait has begun
	ended   chan error    // gets what ended its context

	mu        sync.Mutex
	mutations int
}

func newSchema() *schema {
	return &schema{
		parsed:  gqlparser.MustLoadSchema(&ast.Source{Name: "test.graphqls", Input: schemaText}),
		waiting: make(chan struct{}, 1),
		ended:   make(chan error, 1),
	}
}

func (s *schema) Schema() *ast.Schema { return s.parsed }

func (s *schema) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (s *schema) Exec(ctx context.Context) graphql.ResponseHandler {
	operation := graphql.GetOperationContext(ctx)
	return func(ctx context.Context) *graphql.Response {
		var data bytes.Buffer
		data.WriteByte('{')
		fields := graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{"Query", "Mutation"})
		for i, field := range fields {
			if i > 0 {
				data.WriteByte(',')
			}
			data.WriteString(`"` + field.Alias + `":` + s.resolve(ctx, field.Name, field.ArgumentMap(operation.Variables)))
		}
		data.WriteByte('}')
		return &graphql.Response{Data: data.Bytes()}
	}
}

func (s *schema) resolve(ctx context.Context, field string, arguments map[string]any) string {
	switch field {
	case "__typename":
		return `"Query"`
	case "exact":
		return `9007199254740993.10`
	case "echo":
		number, _ := arguments["value"].(json.Number)
		return `"` + number.String() + `"`
	case "fail":
		graphql.AddError(ctx, fault.New(fault.Unavailable, "the source does not answer"))
		return `null`
	case "panic":
		panic("secret of the panic")
	case "wait":
		s.waiting <- struct{}{}
		<-ctx.Done()
		s.ended <- ctx.Err()
		return `null`
	case "principal":
		caller, err := principal.From(ctx)
		if err != nil {
			return `null`
		}
		return `"` + caller.Tenant + `"`
	case "client":
		return fmt.Sprintf(`"%s %t"`, client.From(ctx), principal.IsAnonymous(ctx))
	case "count":
		s.mu.Lock()
		defer s.mu.Unlock()
		s.mutations++
		return `1`
	default:
		return `null`
	}
}

// authenticate accepts one token, and one whose principal lacks a tenant.
func authenticate(_ context.Context, r *http.Request) (principal.Principal, error) {
	switch r.Header.Get("Authorization") {
	case "Bearer " + goodToken:
		return principal.Principal{Subject: "alice", Issuer: "test", Tenant: "acme"}, nil
	case "Bearer nobody":
		return principal.Principal{Subject: "nobody"}, nil
	default:
		return principal.Principal{}, fault.New(fault.Unauthenticated, "the signature of kid 7 does not verify").WithHint("secret hint")
	}
}

// logs is a log that tests read while the server writes it.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

type fixture struct {
	schema *schema
	logs   *logs
	http.Handler
}

func newFixture(options transport.Options) *fixture {
	f := &fixture{schema: newSchema(), logs: &logs{}}
	options.Logger = slog.New(slog.NewJSONHandler(f.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	f.Handler = transport.New(newExecutor(f.schema), authenticate, options)
	return f
}

// request makes a good POST; the changes make it another one.
func request(body string, changes ...func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+goodToken)
	r.Header.Set("Content-Type", "application/json")
	for _, change := range changes {
		change(r)
	}
	return r
}

func header(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
}

func method(name string) func(*http.Request) {
	return func(r *http.Request) { r.Method = name }
}

func get(query string, changes ...func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/graphql?"+query, nil)
	r.Header.Set("Authorization", "Bearer "+goodToken)
	for _, change := range changes {
		change(r)
	}
	return r
}

func (f *fixture) do(r *http.Request) (response *httptest.ResponseRecorder, body string) {
	response = httptest.NewRecorder()
	f.ServeHTTP(response, r)
	return response, response.Body.String()
}

// answer is the envelope of a response.
type answer struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string            `json:"message"`
		Extensions map[string]string `json:"extensions"`
	} `json:"errors"`
}

func decode(t *testing.T, body string) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		t.Fatalf("the answer is not JSON: %v\n%s", err, body)
	}
	return a
}

// gqlgens is gqlgen's executor, which wants to be told when a request began, and plain values.
type gqlgens struct{ *executor.Executor }

func newExecutor(s *schema) gqlgens { return gqlgens{executor.New(s)} }

// CreateOperationContext implements graphql.GraphExecutor.
func (g gqlgens) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	for name, v := range params.Variables {
		params.Variables[name] = query.Plain(v.(query.Value))
	}
	return g.Executor.CreateOperationContext(graphql.StartOperationTrace(ctx), params)
}
