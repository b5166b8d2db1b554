package resolvers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/audit"
	"usher/fault"
	"usher/graph"
	"usher/principal"
	"usher/query"
)

// asking is the context of an operation called mine, as the engine makes it.
func asking(ctx context.Context, text string) context.Context {
	return graphql.WithOperationContext(ctx, &graphql.OperationContext{RawQuery: text, Operation: &ast.OperationDefinition{Name: "mine"}})
}

// One entry for an operation, when its last task is done, whatever becomes of
// them.
func TestOneEntryForAnOperation(t *testing.T) {
	t.Parallel()
	who := principal.Principal{
		Subject: "ann", Issuer: "idp", TokenID: "t-1", Tenant: "acme", Acting: &principal.Acting{Subject: "root", Reason: "a ticket"},
		Grant: principal.Grant{Metadata: map[string]query.Value{"secret": query.Text("canary")}},
	}
	rows := func(n int) graph.Task {
		return graph.Task{Run: func(context.Context) []graph.Outcome { return []graph.Outcome{{Rows: n}, {Rows: 1}} }}
	}
	fails := func(err error) graph.Task {
		return graph.Task{Run: func(context.Context) []graph.Outcome { return []graph.Outcome{{Err: err}} }}
	}
	f := func(what string, rowsRead int64, outcome string, tasks ...graph.Task) {
		t.Helper()
		var mu sync.Mutex
		var got []audit.Entry
		d := &Datasets{Audit: func(e audit.Entry) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, e)
		}}
		said := trail{datasets: []string{"customers", "orders"}, strategy: "shared"}
		var group sync.WaitGroup
		for _, task := range d.audited(asking(t.Context(), "{ secret }"), who, said, tasks) {
			group.Go(func() {
				defer func() { _ = recover() }()
				task.Run(t.Context())
			})
		}
		group.Wait()
		want := []audit.Entry{{
			Kind: audit.DataAccess, Subject: "ann", Issuer: "idp", TokenID: "t-1", Tenant: "acme", Acting: "root", Reason: "a ticket",
			Operation: "mine", Hash: hashOf(asking(t.Context(), "{ secret }")), Datasets: []string{"customers", "orders"}, Strategy: "shared", Rows: rowsRead, Outcome: outcome,
		}}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(audit.Entry{}, "Duration")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		if len(got) > 0 && got[0].Duration <= 0 {
			t.Errorf("%s took %s", what, got[0].Duration)
		}
	}
	f("one task", 8, "done", rows(7))
	f("many tasks", 50, "done", slices.Repeat([]graph.Task{rows(4)}, 10)...)
	f("a refusal among them", 3, "FORBIDDEN", rows(2), fails(fault.New(fault.Forbidden, "no")))
	f("an error nobody knows", 0, "INTERNAL", fails(errors.New("canary")))
	f("a panic", 3, "INTERNAL", rows(2), graph.Task{Run: func(context.Context) []graph.Outcome { panic("out of order") }})
}

// Without an audit log nothing is done for one.
func TestNoAuditLog(t *testing.T) {
	t.Parallel()
	tasks := []graph.Task{{}}
	if got := (&Datasets{}).audited(t.Context(), principal.Principal{}, trail{}, tasks); &got[0] != &tasks[0] {
		t.Error("the tasks are others")
	}
}

// Where questions are not noted, those of whoever acts as a tenant are.
func TestQuestionsThatAreNotNoted(t *testing.T) {
	t.Parallel()
	d := &Datasets{Audit: func(audit.Entry) {}, ReadsUnnoted: true}
	ctx := asking(t.Context(), "{ a }")
	if d.begin(ctx, principal.Principal{Subject: "ann", Tenant: "acme"}, trail{}, 1) != nil {
		t.Error("a question is noted")
	}
	if d.begin(ctx, principal.Principal{Tenant: "acme", Acting: &principal.Acting{Subject: "root", Reason: "a ticket"}}, trail{}, 1) == nil {
		t.Error("who acts as a tenant is not noted")
	}
}

// What an operation reads is named with all its relations and filters, and
// what it may not read by what it asked for.
func TestTrail(t *testing.T) {
	t.Parallel()
	s := openShop(t, false)
	var mu sync.Mutex
	entries := make(map[string]audit.Entry)
	s.data.Audit = func(e audit.Entry) {
		mu.Lock()
		defer mu.Unlock()
		entries[e.Operation] = e
	}
	for text, want := range map[string]string{
		`query a { orders { id } }`:                                                                          "orders 4 done",
		`query b { orders(limit: 2) { id customer { segment } } }`:                                           "customers,orders 2 done",
		`query c { orders(where: {customer: {segment: {eq: "retail"}}}) { id } }`:                            "customers,orders 2 done",
		`query d { customers { orders { id } } }`:                                                            "customers,orders 2 done",
		`query e { orders { id } customers { id } }`:                                                         "customers,orders 6 done",
		`query f { orders(limit: 100000) { id } customers { id } }`:                                          "customers,orders 2 TOO_COMPLEX",
		`query g { table(query: {dataset: "orders", dimensions: [{column: "customer.segment"}]}) { rows } }`: "customers,orders 3 done",
		`query h { table(query: {dataset: "secrets", columns: ["id"]}) { rows } }`:                           "secrets 0 NOT_FOUND",
		`query i { ordersAggregate { count } }`:                                                              "orders 1 done",
	} {
		for range 2 { // the second time it is planned already
			answer := s.ask(t, "all", text, "")
			mu.Lock()
			name := strings.Fields(text)[1]
			e, ok := entries[name]
			delete(entries, name)
			mu.Unlock()
			got := fmt.Sprintf("%s %d %s", strings.Join(e.Datasets, ","), e.Rows, e.Outcome)
			if !ok || got != want || len(e.Hash) != 64 && e.Outcome == "done" {
				t.Errorf("%s\nis noted as %s (hash %q), want %s; the answer was %s", text, got, e.Hash, want, answer)
			}
		}
	}
}

func BenchmarkAudit(b *testing.B) {
	who := principal.Principal{Subject: "ann", Issuer: "idp", TokenID: "t-1", Tenant: "acme"}
	task := graph.Task{Run: func(context.Context) []graph.Outcome { return []graph.Outcome{{Rows: 20}} }}
	tasks, said := []graph.Task{task, task}, trail{datasets: []string{"orders"}, strategy: "shared"}
	ctx := asking(b.Context(), "")
	waiting := make(chan audit.Entry, 4096)
	for name, audit := range map[string]func(audit.Entry){
		"without": nil,
		"with": func(e audit.Entry) {
			select {
			case waiting <- e:
			default:
				<-waiting
			}
		},
	} {
		d := &Datasets{Audit: audit}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, task := range d.audited(ctx, who, said, slices.Clone(tasks)) {
					task.Run(ctx)
				}
			}
		})
	}
}
