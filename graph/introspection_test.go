package graph_test

import (
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/introspection"

	"usher/graph"
	"usher/principal"
)

// made is how many values are made on the heap by a function.
func made(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}

func TestIntrospectionIsMadeOnce(t *testing.T) {
	s := serve(t, shop(t, clerks()), empty, graph.Options{})
	var first string
	once := made(func() { first = s.ask(t, tenant("all"), introspection.Query) })
	if again := made(func() { check(t, s.ask(t, tenant("all"), introspection.Query), first) }); again > once/10 {
		t.Errorf("the first answer makes %d values, the second %d", once, again)
	}
	// Also when something else is asked beside it.
	mixed := strings.Replace(introspection.Query, "__schema {", "authenticated __schema {", 1)
	once = made(func() { s.ask(t, tenant("all"), mixed) })
	if again := made(func() { s.ask(t, tenant("all"), mixed) }); again > once/10 {
		t.Errorf("beside another field the first answer makes %d values, the second %d", once, again)
	}
	// Also for fifty at once, who have to wait for it.
	s = serve(t, shop(t, clerks()), empty, graph.Options{})
	together := made(func() {
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if got := answerOf(principal.With(t.Context(), tenant("all")), s.Engine, &graphql.RawParams{Query: introspection.Query}); strings.Contains(got, "errors") {
					t.Error(got)
				}
			})
		}
		all.Wait()
	})
	if together > 4*once {
		t.Errorf("one makes %d values, and fifty together %d", once, together)
	}
}

// What is kept is the answer to the same question of the same view.
func TestIntrospectionsAreToldApart(t *testing.T) {
	t.Parallel()
	cat := shop(t, clerks())
	kept := serve(t, cat, empty, graph.Options{})
	const operations = `query A($n: String = "Orders", $s: Boolean = false) { __type(name: $n) { name ...F } customers: __type(name: "Customers") { name @skip(if: $s) } __typename }
		query B { __type(name: "Items") { name ...F } } fragment F on __Type { fields { name } }`
	for range 2 {
		for _, role := range []string{"all", "clerk", "buyer"} {
			for _, variables := range []string{``, `{"n": "Customers"}`, `{"n": "Nothing"}`, `{"s": true}`, `{"n": null}`} {
				for _, operation := range []string{"A", "B"} {
					params := func() *graphql.RawParams {
						p := params(t, func(int) (string, string) { return operations, variables }, 0)
						p.OperationName = operation
						return p
					}
					ctx := principal.With(t.Context(), tenant(role))
					fresh := serve(t, cat, empty, graph.Options{})
					check(t, answerOf(ctx, kept.Engine, params()), answerOf(ctx, fresh.Engine, params()))
				}
			}
		}
	}
	if got := kept.ask(t, tenant("clerk"), introspection.Query); strings.Contains(got, "secret") || strings.Contains(got, "Customers") {
		t.Error("a clerk is shown what others see")
	}
}

func TestIntrospectionIsBounded(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), empty, graph.Options{})
	for text, refused := range map[string]bool{
		introspection.Query: false,
		`{ __schema { queryType { fields { name args { name type { name inputFields { name } } } } } } }`:                            false,
		`{ __type(name: "Orders") { fields { name type { name fields { name } } } } }`:                                               false,
		`{ __schema { types { name kind n: name d: description } } }`:                                                                false,
		`{ a: __schema { queryType { name } } b: __schema { queryType { name } } }`:                                                  true,
		`{ __schema { types { fields { type { fields { name } } } } } }`:                                                             true,
		`{ __schema { types { fields { type { enumValues { name } } } } } }`:                                                         true,
		`{ __schema { types { fields { args { type { inputFields { name } } } } } } }`:                                               true,
		`{ __schema { types { ...F } } } fragment F on __Type { fields { type { ...G } } } fragment G on __Type { fields { name } }`: true,
		`{ __schema { a: types { name } types { name } } }`:                                                                          true,
		`{ __schema { types { a: fields { name } } } }`:                                                                              true,
		`{ __schema { types { a: name b: name c: name d: name e: name f: name } } }`:                                                 true,
		`{ ...F } fragment F on Query { a: __schema { queryType { name } } ... { __schema { queryType { name } } } }`:                true,
		"{ " + strings.Repeat(`a: __type(name: "Orders") { name } `, 11) + "}":                                                       true,
	} {
		got := s.ask(t, tenant(), text)
		if refused != strings.Contains(got, `"code":"TOO_COMPLEX"`) || !refused && strings.Contains(got, "errors") {
			t.Errorf("%s\n%.300s", text, got)
		}
	}
}
