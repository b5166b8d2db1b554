package resolvers

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"usher/answer"
	"usher/cursor"
	"usher/datasource"
	"usher/fault"
	"usher/graph"
	"usher/plan/plantest"
	"usher/principal"
)

// planning plans operations and answers none.
type planning struct{ *Datasets }

func (p planning) Resolve(ctx context.Context, asked graph.Asked) []graph.Task {
	tasks := p.Datasets.Resolve(ctx, asked)
	out := make([]graph.Task, len(tasks))
	for i, task := range tasks {
		out[i] = graph.Task{Fields: task.Fields, Run: func(context.Context) []graph.Outcome {
			outcomes := make([]graph.Outcome, len(task.Fields))
			for j := range outcomes {
				outcomes[j].Answer = answer.Null()
			}
			return outcomes
		}}
	}
	return out
}

func openPlanning(t *testing.T) (planning, *graph.Engine) {
	t.Helper()
	cat := plantest.Catalog(t, strings.ReplaceAll(shopConfig, "$path", t.TempDir()+"/none.duckdb"), nil)
	sources, err := datasource.New(cat, datasource.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sources.Close() })
	cursors, err := cursor.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := planning{NewDatasets(sources, cursors, false, NewPlanned())}
	engine, err := graph.NewEngine(cat, &Resolver{Data: p.Datasets}, p, graph.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return p, engine
}

func asked(ctx context.Context, t *testing.T, engine *graph.Engine, text, variables string) {
	t.Helper()
	params := &graphql.RawParams{Query: text}
	if variables != "" {
		if err := json.Unmarshal([]byte(variables), &params.Variables); err != nil {
			t.Fatal(err)
		}
	}
	op, errs := engine.CreateOperationContext(ctx, params)
	if errs != nil {
		t.Fatal(errs)
	}
	responses, ctx := engine.DispatchOperation(ctx, op)
	if response := responses(ctx); response != nil && len(response.Errors) > 0 { // whoever has left gets none
		t.Fatal(response.Errors)
	}
}

// What is kept ready takes no more memory than it is charged with, whatever is
// asked: the variables, the plans, the statements, the text of the document.
func TestKnownOperationsAreCharged(t *testing.T) {
	items := func(n int, item func(i int) string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = item(i)
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	const asks = `query ($w: OrdersWhere) { orders(where: $w) { id } }`
	for name, shape := range map[string]func(i int) (text, variables string){
		"small": func(i int) (string, string) { return asks, fmt.Sprintf(`{"w": {"id": {"eq": "%d"}}}`, i) },
		"lists": func(i int) (string, string) {
			return asks, `{"w": {"id": {"in": ` + items(500, func(j int) string { return fmt.Sprintf(`"%d"`, 1000*i+j) }) + `}}}`
		},
		"equal texts": func(i int) (string, string) {
			return asks, `{"w": {"region": {"in": ` + items(900, func(int) string { return fmt.Sprintf(`"%064d"`, i) }) + `}}}`
		},
		"long texts": func(i int) (string, string) {
			return asks, fmt.Sprintf(`{"w": {"region": {"contains": "%d%s"}}}`, i, strings.Repeat("a", 50_000))
		},
		"longest texts": func(i int) (string, string) {
			return asks, fmt.Sprintf(`{"w": {"region": {"contains": "%d%s"}}}`, i, strings.Repeat("a", 900_000))
		},
		"trees": func(i int) (string, string) {
			return asks, `{"w": {"or": ` + items(200, func(j int) string {
				return fmt.Sprintf(`{"not": {"id": {"gt": "%d"}, "customer": {"segment": {"eq": "%d"}}}}`, 1000*i+j, j)
			}) + `}}`
		},
		"documents": func(i int) (string, string) { return fmt.Sprintf(`{ a%d: orders { id region amount weight } }`, i), `` },
		"documents of comments": func(i int) (string, string) {
			return fmt.Sprintf("{ orders { id } } # %d%s", i, strings.Repeat("a", 100_000)), ``
		},
		"documents of literals": func(i int) (string, string) {
			return fmt.Sprintf(`{ orders(where: {region: {in: %s}}) { id } }`, items(300, func(j int) string { return fmt.Sprintf(`"%d"`, 1000*i+j) })), ``
		},
		"tiles": func(i int) (string, string) {
			var b strings.Builder
			for j := range 20 {
				fmt.Fprintf(&b, "f%d: ordersAggregate(where: {and: [$w, {region: {eq: \"%d\"}}]}) { key { region } count amount { sum avg } } ", j, j)
			}
			return `query ($w: OrdersWhere!) { ` + b.String() + `}`, fmt.Sprintf(`{"w": {"id": {"gt": "%d"}}}`, i)
		},
		"nested": func(i int) (string, string) {
			return `query ($w: OrdersWhere) { customers { id orders(where: $w) { id region customer { segment orders { amount } } } } }`,
				fmt.Sprintf(`{"w": {"id": {"gt": "%d"}}}`, i)
		},
	} {
		p, engine := openPlanning(t)
		ctx := principal.With(t.Context(), principal.Principal{
			Subject: "ann", Tenant: "acme", TenantKey: "acme", Roles: []string{"all"}, Kind: principal.JWT, Scopes: []principal.Scope{principal.ReadData},
		})
		for i := 0; i < 250 && p.plans.kept.Cost() < planCacheBytes/16; i++ {
			text, variables := shape(i)
			asked(ctx, t, engine, text, variables)
		}
		charged, kept := p.plans.kept.Cost(), p.plans.kept.Len()
		full := heap()
		p.plans.kept = nil
		takes := full - heap()
		runtime.KeepAlive(engine)
		t.Logf("%s: %d kept, charged with %d KiB, take %d KiB", name, kept, charged>>10, takes>>10)
		if takes > charged+charged/2+(256<<10) {
			t.Errorf("%s: %d operations are charged with %d bytes and take %d", name, kept, charged, takes)
		}
		if kept == 0 {
			t.Errorf("%s: %d operations are kept", name, kept)
		}
	}
}

// heap is how many bytes are reachable.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Nobody plans for those who have left, and no more than fits in memory.
func TestPlanningStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	op := &operation{}
	if err := op.goesOn(ctx); err != nil {
		t.Error(err)
	}
	cancel()
	if err := op.goesOn(ctx); err == nil || fault.From(err).Code != fault.Timeout {
		t.Error(err)
	}
	op.size = mostPlanned + 1
	if err := op.goesOn(t.Context()); err == nil || fault.From(err).Code != fault.TooComplex {
		t.Error(err)
	}
	p, engine := openPlanning(t)
	gone := principal.With(ctx, principal.Principal{
		Subject: "ann", Tenant: "acme", TenantKey: "acme", Roles: []string{"all"}, Kind: principal.JWT, Scopes: []principal.Scope{principal.ReadData},
	})
	asked(gone, t, engine, `{ orders { id } }`, "")
	if p.plans.kept.Len() != 0 {
		t.Error("what was planned halfway is kept")
	}
}

// TestPlansAreShared: who asks, through which issuer and of which tenant makes no
// other plan, where nothing but values depends on it.
func TestPlansAreShared(t *testing.T) {
	t.Parallel()
	p, engine := openPlanning(t)
	ask := func(subject, issuer, tenant string) {
		asked(principal.With(t.Context(), principal.Principal{
			Subject: subject, Issuer: issuer, Tenant: tenant, TenantKey: tenant, Roles: []string{"all"}, Kind: principal.JWT, Scopes: []principal.Scope{principal.ReadData},
		}), t, engine, `{ orders { id } }`, "")
	}
	for i := range 500 {
		ask(fmt.Sprintf("user-%d", i), fmt.Sprintf("idp-%d", i%3), "acme")
	}
	if n := p.plans.kept.Len(); n != 1 {
		t.Errorf("500 users of one tenant made %d plans", n)
	}
	for i := range 500 {
		ask("user-1", "idp-1", fmt.Sprintf("tenant-%d", i))
	}
	if n := p.plans.kept.Len(); n != 1 {
		t.Errorf("500 tenants made %d plans", n)
	}
}
