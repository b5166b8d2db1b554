package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/introspection"

	"usher/graph"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), empty, graph.Options{Limits: graph.Limits{Tokens: 200, Depth: 3, Aliases: 4, RootFields: 3, Fields: 12}})
	for text, what := range map[string]string{
		"{ orders { " + strings.Repeat("id ", 200) + "} }":                                                                      "200 tokens",
		`{ orders { customer { name } items { price } } }`:                                                                      "",
		`{ ordersAggregate { key { customer { name } } } }`:                                                                     "3 levels of fields",
		`{ ...A } fragment A on Query { ordersAggregate { ...B } } fragment B on OrdersAggregate { key { customer { name } } }`: "3 levels of fields",
		`{ orders { a: id b: id c: id d: id } }`:                                                                                "",
		`{ orders { a: id b: id c: id d: id e: id } }`:                                                                          "4 aliases, fragments expanded",
		`{ a: orders { ...F } b: orders { ...F } } fragment F on Orders { x: id y: region }`:                                    "4 aliases, fragments expanded",
		`{ a: __typename b: __typename c: __typename }`:                                                                         "",
		`{ a: __typename b: __typename c: __typename d: __typename }`:                                                           "3 root fields",
		`{ a: __typename ...R b: __typename } fragment R on Query { c: __typename d: __typename }`:                              "3 root fields",
		`{ orders { id id id id id id id id id id id id } }`:                                                                    "12 fields, fragments expanded",
	} {
		got := s.ask(t, tenant(), text)
		switch {
		case what == "" && strings.Contains(got, "errors"):
			t.Errorf("%s\nis within the limits, got %s", text, got)
		case what != "" && (!strings.Contains(got, "has more than "+what) || !strings.Contains(got, `"code":"TOO_COMPLEX"`)):
			t.Errorf("%s\nwant a refusal of more than %s, got %s", text, what, got)
		}
	}
}

// Introspection goes deeper than any question about data.
func TestIntrospectionIsExemptFromDepth(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), empty, graph.Options{Limits: graph.Limits{Depth: 2}})
	if got := s.ask(t, tenant(), introspection.Query); strings.Contains(got, `"errors"`) || !strings.Contains(got, `"OrdersAggregateOrderBy"`) {
		t.Errorf("got %.300s", got)
	}
}

// Documents made to be expensive are refused before they cost anything. The
// bound is generous; what it tells apart is milliseconds and never.
func TestExpensiveDocumentsAreCheap(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), empty, graph.Options{})
	double := func(on, leaf string) string {
		var b strings.Builder
		for i := range 60 {
			fmt.Fprintf(&b, "fragment F%d on %s { ...F%d ...F%d } ", i, on, i+1, i+1)
		}
		return b.String() + fmt.Sprintf("fragment F60 on %s { %s }", on, leaf)
	}
	deep := strings.Repeat("{ orders { customer ", 1) + strings.Repeat("{ a ", 4000) + strings.Repeat("} ", 4000)
	for name, text := range map[string]string{
		"fragments that double":                  "{ orders { ...F0 } } " + double("Orders", "id"),
		"fragments that double in introspection": "{ __schema { types { ...F0 } } } " + double("__Type", "fields { name }"),
		"fragments that call each other":         "{ orders { ...A } } fragment A on Orders { ...B } fragment B on Orders { ...A id }",
		"duplicates":                             "{ orders { " + strings.Repeat("id ", 4900) + "} }",
		"nested duplicates":                      "{ orders { " + strings.Repeat("items { price order_id } ", 1500) + "} }",
		"aliases":                                "{ " + strings.Repeat("a: orders { id } ", 1500) + "}",
		"directives":                             "{ orders { id " + strings.Repeat("@skip(if: false) ", 1500) + "} }",
		"unknown directives":                     "{ orders { id " + strings.Repeat("@nothing ", 4000) + "} }",
		"unknown fields":                         "{ orders { " + strings.Repeat("nothing ", 4000) + "} }",
		"depth":                                  deep,
		"deep values":                            "{ orders(where: " + strings.Repeat("{not: ", 3000) + "{}" + strings.Repeat("}", 3000) + ") { id } }",
	} {
		start := time.Now()
		got := s.ask(t, tenant(), text)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
		if len(got) > 10_000 {
			t.Errorf("%s: the answer has %d bytes", name, len(got))
		}
	}
}
