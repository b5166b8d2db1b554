package gateway_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/trace"
)

// recorded are the spans that were made, each as its name and what matters of it.
func recorded(to *tracetest.InMemoryExporter) []string {
	var out []string
	for _, s := range to.GetSpans() {
		text := s.Name
		for _, a := range s.Attributes {
			switch a.Key {
			case "usher.tenant", "error.type", "db.response.returned_rows", "http.response.status_code", "usher.kept", "graphql.operation.type":
				text += fmt.Sprintf(" %s=%v", a.Key[strings.LastIndex(string(a.Key), ".")+1:], a.Value.AsInterface())
			}
		}
		if s.Status.Code.String() == "Error" {
			text += " failed"
		}
		out = append(out, text)
	}
	to.Reset()
	return out
}

// Every way of a request is traced, also those that end early; and all that statements say of
// their trace does not keep them from being what they are.
func TestEveryWayIsTraced(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables)
	dir := t.TempDir()
	text := fmt.Sprintf(calledAPI, db.Name, db.User, db.Port, filepath.Join(dir, "store.duckdb"), p.URL, "gateway", "tenant")
	text = strings.Replace(text, "sslmode: disable}", "sslmode: disable, trace_sql: true}", 1)
	text = strings.Replace(text, "  customers:\n    tenant: tenant\n", "  customers:\n    tenant: tenant\n    cache: 1h\n", 1)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	to := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithSyncer(to))
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Tracer: trace.New(provider, true)})
	if err != nil {
		t.Fatal(err)
	}
	served := httptest.NewServer(g.Handler())
	t.Cleanup(func() {
		served.Close()
		_ = g.Close()
	})
	w := writing{gate{g}, gate{g}.bootstrap(t)}
	w.check(t, w.root, `mutation { admin { createTenant(input: {id: "a"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"a"}}}}`)
	ann := w.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA, EXPORT_DATA")
	ask := func(token, method, path, body string, header ...string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, served.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		for pair := range slices.Chunk(header, 2) {
			r.Header.Set(pair[0], pair[1])
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		all, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(all)
	}
	graphql := func(text string) string { return `{"query":` + fmt.Sprintf("%q", text) + `}` }
	recorded(to)
	for _, c := range []struct{ token, method, path, body, answer, want string }{
		{
			ann, "POST", "/graphql", graphql(`mutation { insertCustomersOne(row: {id: "10", name: "Cleo"}) { name } }`), `"Cleo"`,
			`authenticate, validate, change shop returned_rows=1, POST /graphql tenant=a type=mutation status_code=200`,
		},
		{
			ann, "POST", "/graphql", graphql(`mutation { insertCustomersOne(row: {id: "10", name: "Twice"}) { name } }`), "CONFLICT",
			`authenticate, validate, change shop returned_rows=0 type=CONFLICT failed, POST /graphql tenant=a type=mutation status_code=200 type=CONFLICT`,
		},
		{
			ann, "POST", "/graphql", graphql(`mutation { insertOrdersOne(row: {id: "20"}) { id } }`), `"20"`,
			`authenticate, validate, POST status_code=201, GET status_code=200, source partner returned_rows=1, GET status_code=200, source partner returned_rows=1, change partner returned_rows=1, POST /graphql tenant=a type=mutation status_code=200`,
		},
		{
			ann, "POST", "/graphql", graphql(`{ customers { id } }`), `"id":10`,
			`authenticate, validate, plan, source shop returned_rows=3, encode, POST /graphql tenant=a type=query status_code=200`,
		},
		{
			ann, "POST", "/graphql", graphql(`{ customers { id } }`), `"id":10`,
			`authenticate, validate, plan, source shop kept=true returned_rows=3, encode, POST /graphql tenant=a type=query status_code=200`,
		},
		{
			ann, "POST", "/graphql", graphql(`{ orders { id customer { name } } }`), `"20"`,
			`authenticate, validate, plan, GET status_code=200, source partner returned_rows=5, source shop returned_rows=1, engine returned_rows=4, encode, POST /graphql tenant=a type=query status_code=200`,
		},
		{ann, "GET", "/export/customers?query={customers{id,name}}", "", "Cleo", `authenticate, source shop returned_rows=3, GET /export/{dataset} tenant=a type=query status_code=200`},
		{ann, "POST", "/import/customers?format=csv", "id,name\n11,Dora\n12,Eve\n", `{"rows":2}`, `authenticate, import shop returned_rows=2, POST /import/{dataset} tenant=a status_code=200`},
		{ann, "POST", "/import/customers?format=csv", "id,name\n11,Dora\n", `CONFLICT`, `authenticate, import shop returned_rows=0 type=CONFLICT failed, POST /import/{dataset} tenant=a status_code=409 type=CONFLICT`},
		{ann, "POST", "/graphql", graphql(`{ nothing }`), "GRAPHQL_VALIDATION_FAILED", `authenticate, validate, POST /graphql tenant=a status_code=200 type=GRAPHQL_VALIDATION_FAILED`},
		{"nobody", "POST", "/graphql", graphql(`{ nothing }`), "UNAUTHENTICATED", `authenticate, POST /graphql status_code=401 type=UNAUTHENTICATED`},
		{ann, "BREW", "/graphql", "", "only GET and POST", `authenticate, HTTP /graphql tenant=a status_code=405 type=BAD_USER_INPUT`},
		{ann, "POST", "/dashboards/none", "{}", "NOT_FOUND", `authenticate, POST /dashboards/{dashboard} tenant=a status_code=404 type=NOT_FOUND`},
		{ann, "GET", "/health/live", "", "", ``},
	} {
		answer := ask(c.token, c.method, c.path, c.body)
		if !strings.Contains(answer, c.answer) {
			t.Errorf("%s %s: %s", c.method, c.body, answer)
		}
		if got := strings.Join(recorded(to), ", "); got != c.want {
			t.Errorf("%s %s %s:\n%s\nnot\n%s", c.method, c.path, c.body, got, c.want)
		}
	}
	// An API that is away.
	p.Close()
	ask(ann, "POST", "/graphql", graphql(`{ orders(where: {id: {eq: "77"}}) { id } }`))
	if got := strings.Join(recorded(to), ", "); !strings.Contains(got, "GET type=UNAVAILABLE failed") || !strings.Contains(got, "source partner returned_rows=0 type=UNAVAILABLE failed") ||
		!strings.HasSuffix(got, "POST /graphql tenant=a type=query status_code=200 type=UNAVAILABLE failed") {
		t.Error(got)
	}
}
