package equivalence

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/catalog"
	"usher/cursor"
	"usher/datasource"
	"usher/graph"
	"usher/principal"
	"usher/resolvers"
	"usher/schema"
)

// gateway is all of usher between the token and the sources.
type gateway struct {
	catalog *catalog.Catalog
	engine  *graph.Engine
	schema  *ast.Schema
	planned *resolvers.Planned
	log     *tail
}

// tail keeps the end of a log, to be shown beside an answer that is wrong.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	l.text = l.text[max(0, len(l.text)-2000):]
	return len(p), nil
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// secret seals cursors; the same for all gateways, as it is for replicas.
const secret = "cursors of all gateways are alike"

// newGateway compiles a catalog as the program does, with what its sources
// are found to hold.
func newGateway(tb testing.TB, spec catalog.Spec) *gateway {
	tb.Helper()
	return newGatewayBy(tb, spec, func(d *resolvers.Datasets) graph.DatasetResolver { return d })
}

// newGatewayBy is newGateway with something between the engine and what answers it.
func newGatewayBy(tb testing.TB, spec catalog.Spec, by func(*resolvers.Datasets) graph.DatasetResolver) *gateway {
	tb.Helper()
	sources, problems := catalog.Sources(spec)
	refuse(tb, problems)
	tables := make(catalog.Introspected)
	for name, source := range sources {
		found, err := datasource.Introspect(tb.Context(), source)
		if err != nil {
			tb.Fatalf("look into %s: %v", name, err)
		}
		if found != nil {
			tables[name] = found
		}
	}
	cat, problems := catalog.Compile(spec, tables)
	refuse(tb, problems)
	opened, err := datasource.New(cat, datasource.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := opened.Close(); err != nil {
			tb.Errorf("close the sources: %v", err)
		}
	})
	cursors, err := cursor.New([]byte(secret))
	if err != nil {
		tb.Fatal(err)
	}
	planned := resolvers.NewPlanned()
	log, datasets := &tail{}, resolvers.NewDatasets(opened, cursors, false, planned)
	engine, err := graph.NewEngine(cat, &resolvers.Resolver{}, by(datasets), graph.Options{
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		tb.Fatal(err)
	}
	view, err := cat.View(principal.Principal{})
	if err != nil {
		tb.Fatal(err)
	}
	builder, err := schema.NewBuilder()
	if err != nil {
		tb.Fatal(err)
	}
	built, err := builder.Build(view, schema.Holder|schema.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return &gateway{catalog: cat, engine: engine, schema: built.AST, planned: planned, log: log}
}

func refuse(tb testing.TB, problems []catalog.Problem) {
	tb.Helper()
	for _, p := range problems {
		if !p.Note {
			tb.Errorf("the catalog: %s", p)
		}
	}
	if tb.Failed() {
		tb.FailNow()
	}
}

// operation is a document with its variables.
type operation struct {
	Query     string
	Variables map[string]any
}

// String is the operation as it can be sent again.
func (o operation) String() string {
	variables, err := json.Marshal(o.Variables)
	if err != nil {
		return err.Error()
	}
	return o.Query + "\nvariables: " + string(variables)
}

// deadline bounds one operation, far above what any takes.
const deadline = time.Minute

// now is the instant of every operation, within the world's times.
var now = time.Date(2026, 10, 25, 9, 30, 15, 0, time.UTC)

// ana is of a tenant, and her token names a strategy.
func ana(tenant, strategy string) principal.Principal {
	return principal.Principal{
		Subject: "ana", Tenant: tenant, TenantKey: tenant, Scopes: []principal.Scope{principal.ReadData},
		Grant: principal.Grant{Strategy: strategy, Timezone: "Europe/Madrid"},
	}
}

func (g *gateway) askAs(ctx context.Context, who principal.Principal, o operation) []byte {
	ctx, cancel := context.WithTimeout(principal.With(ctx, who), deadline)
	defer cancel()
	ctx = graphql.StartOperationTrace(ctx)
	op, errs := g.engine.CreateOperationContext(ctx, &graphql.RawParams{Query: o.Query, Variables: o.Variables})
	var response *graphql.Response
	if errs != nil {
		response = g.engine.DispatchError(graphql.WithOperationContext(ctx, op), errs)
	} else {
		op.Stats.OperationStart = now
		next, ctx := g.engine.DispatchOperation(ctx, op)
		response = next(ctx)
	}
	delete(response.Extensions, "requestId")
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(response); err != nil {
		return []byte(err.Error())
	}
	return bytes.TrimSpace(out.Bytes())
}
