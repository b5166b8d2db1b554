package graph_test

import (
	"regexp"
	"strings"
	"testing"

	"usher/graph"
)

// hideouts are all the places a name can be asked in. In each, %NAME% is a
// column, %TYPE% a type and %SET% a dataset.
var hideouts = []string{
	`{ orders { %NAME% } }`,
	`{ orders(where: {%NAME%: {eq: "x"}}) { id } }`,
	`{ orders(where: {and: [{not: {%NAME%: {like: "x"}}}]}) { id } }`,
	`{ orders(orderBy: {%NAME%: ASC}) { id } }`,
	`{ ordersAggregate { key { %NAME% } } }`,
	`{ ordersAggregate { %NAME% { min } } }`,
	`{ ordersAggregate(having: {%NAME%: {min: {eq: "x"}}}) { count } }`,
	`{ ordersAggregate(orderBy: {%NAME%: {min: ASC}}) { count } }`,
	`{ ordersAggregate(orderBy: {key: {%NAME%: ASC}}) { count } }`,
	`{ ordersByPk(id: 1, %NAME%: 2) { id } }`,
	`{ %SET% { id } }`,
	`{ %SET%ByPk(id: 1) { id } }`,
	`{ %SET%Aggregate { count } }`,
	`{ orders { %SET% { id } } }`,
	`query($x: %TYPE%Where) { orders(where: $x) { id } }`,
	`query($x: %TYPE%) { orders(where: $x) { id } }`,
	`{ orders { ... on %TYPE% { id } } }`,
	`{ orders { ...F } } fragment F on %TYPE% { id }`,
	`{ __type(name: "%TYPE%") { name fields { name } } }`,
	`{ dataset(name: "%SET%") { name type } }`,
	`query($w: OrdersWhere) { orders(where: $w) { id } }` + "\n" + `{"w": {"%NAME%": {"eq": "x"}}}`,
	`query($o: [OrdersOrderBy!]) { orders(orderBy: $o) { id } }` + "\n" + `{"o": [{"%NAME%": "ASC"}]}`,
	`query($h: OrdersHaving) { ordersAggregate(having: $h) { count } }` + "\n" + `{"h": {"%NAME%": {}}}`,
}

// Forbidden and unknown are one: the answers are equal to the byte, but for
// the name the caller wrote.
func TestForbiddenAndUnknownAreOne(t *testing.T) {
	t.Parallel()
	cat := shop(t, clerks())
	// The names are of one length, so that even places in the text are equal.
	forbidden := strings.NewReplacer("%NAME%", "secret", "%TYPE%", "Customers", "%SET%", "customers")
	unknown := strings.NewReplacer("%NAME%", "secrex", "%TYPE%", "Customerx", "%SET%", "customerx")
	toUnknown := strings.NewReplacer("secret", "secrex", "Customers", "Customerx", "customers", "customerx")
	for _, text := range hideouts {
		s := serve(t, cat, empty, graph.Options{})
		ask := func(names *strings.Replacer) string {
			document, variables, _ := strings.Cut(names.Replace(text), "\n")
			return s.ask(t, tenant("clerk"), document, variables)
		}
		got, want := ask(forbidden), ask(unknown)
		if toUnknown.Replace(got) != want {
			t.Errorf("%s\nforbidden: %s\nunknown:   %s", text, got, want)
		}
		if !strings.Contains(got, "errors") && !strings.Contains(got, "null") {
			t.Errorf("%s\nwas answered: %s", text, got)
		}
		if len(s.resolver.asked) > 0 {
			t.Errorf("%s\nreached the resolver", text)
		}
	}
}

// A message holds no name that the caller did not write, except of the type
// they named a thing of.
func TestNothingIsSuggested(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), empty, graph.Options{})
	suggestion := regexp.MustCompile(`(?i)did you mean|suggest`)
	for _, text := range []string{
		`{ order { id } }`,
		`{ orders { regio } }`,
		`{ orders(wher: {}) { id } }`,
		`{ orders(where: {regio: {eq: "x"}}) { id } }`,
		`{ orders(where: {region: {e: "x"}}) { id } }`,
		`{ orders(where: {status: {eq: OPE}}) { id } }`,
		`{ orders(where: {status: {eq: "OPEN"}}) { id } }`,
		`{ orders(where: {region: {eq: regio}}) { id } }`,
		`{ orders(orderBy: {id: DES}) { id } }`,
		`{ orders { items } }`,
		`{ orders { ...F } } fragment F on Order { id }`,
		`{ orders { ... on Order { id } } }`,
		`query($x: OrdersWher) { orders(where: $x) { id } }`,
		`{ orders @includes(if: true) { id } }`,
		`{ orders @include(i: true) { id } }`,
		`{ dataset(nam: "orders") { name } }`,
		`{ ...Fragmen } fragment Fragment on Query { __typename }`,
	} {
		got := s.ask(t, tenant(), text)
		if suggestion.MatchString(got) {
			t.Errorf("%s\nsuggests: %s", text, got)
		}
		if !strings.Contains(got, `"code":"GRAPHQL_VALIDATION_FAILED"`) {
			t.Errorf("%s\ngot %s", text, got)
		}
	}
	const want = `{"errors":[{"message":"Field \"regio\" is not defined by type \"OrdersWhere\".","locations":[{"line":1,"column":18}],` +
		`"extensions":{"code":"GRAPHQL_VALIDATION_FAILED","requestId":"r-1"}}]}`
	check(t, s.ask(t, tenant(), `{ orders(where: {regio: {eq: "x"}}) { id } }`), want)
}

func TestRefusedDocuments(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), empty, graph.Options{})
	for text, want := range map[string]string{
		``:                            `The document has no operation.`,
		`fragment F on Orders { id }`: `The document has no operation.`,
		`{ orders { id }`:             `GRAPHQL_PARSE_FAILED`,
		`}`:                           `GRAPHQL_PARSE_FAILED`,
		`query A { __typename } query B { __typename }`:                                           `no operation of that name, or several`,
		`mutation { orders { id } }`:                                                              `GRAPHQL_VALIDATION_FAILED`,
		`subscription { orders { id } }`:                                                          `GRAPHQL_VALIDATION_FAILED`,
		`{ orders(limit: 4294967297) { id } }`:                                                    `Expected a value of type \"Int\", found 4294967297.`,
		`{ orders(limit: 1.0) { id } }`:                                                           `Expected a value of type \"Int\", found 1.0.`,
		`{ orders(where: {weight: {eq: 1e999}}) { id } }`:                                         `Expected a value of type \"Float\", found 1e999.`,
		`{ orders(where: [{}]) { id } }`:                                                          `Expected a value of type \"OrdersWhere\", found a list.`,
		`{ orders(where: {and: [null]}) { id } }`:                                                 `Expected a value of type \"OrdersWhere!\", found null.`,
		`{ orders(where: {region: {eq: 5}}) { id } }`:                                             `Expected a value of type \"String\", found 5.`,
		`{ orders(where: {region: {isNull: "x"}}) { id } }`:                                       `Expected a value of type \"Boolean\", found a string.`,
		`{ ordersByPk { id } }`:                                                                   `GRAPHQL_VALIDATION_FAILED`,
		`{ ordersByPk(id: null) { id } }`:                                                         `Expected a value of type \"BigInt!\", found null.`,
		`{ ordersAggregate(orderBy: {key: {ordered_at: {direction: null}}}) { count } }`:          `Expected a value of type \"Direction!\", found null.`,
		`{ orders(limit: 1) { id } orders(limit: 2) { id } }`:                                     `Fields \"orders\" conflict because they have differing arguments.`,
		`{ orders(where: {region: {eq: "a"}}) { id } orders(where: {region: {eq: "b"}}) { id } }`: `Fields \"orders\" conflict because they have differing arguments.`,
		`{ orders { code: region code } }`:                                                        `Fields \"code\" conflict because they are the different fields \"region\" and \"code\".`,
		`{ orders { customer { a: id } ...F } } fragment F on Orders { customer { a: name } }`:    `Fields \"a\" conflict`,
		`{ ... @defer { orders { id } } }`:                                                        `Unknown directive \"@defer\".`,
		`{ orders { tenant_id } }`:                                                                `Cannot query field \"tenant_id\" on type \"Orders\".`,
	} {
		if got := s.ask(t, tenant(), text); !strings.Contains(got, want) || !strings.Contains(got, `"errors"`) {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
	if len(s.resolver.asked) > 0 {
		t.Errorf("the resolver was asked: %v", s.resolver.asked)
	}
}
