package graph_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/graph"
	"usher/query"
)

// A group's key is nothing that a cache may keep by the id of a row: it has no
// field of that name, in whatever way it is asked for.
func TestGroupsHaveNoIdentity(t *testing.T) {
	t.Parallel()
	got := requested(t, `{ ordersAggregate(orderBy: {key: {id: ASC}}) { key { id_ no: id_(bin: 10) customer { id_ } } id_ { countDistinct } } }`, "")
	want := []query.Field{
		{Key: "key", Name: "key", Fields: []query.Field{
			{Key: "id_", Name: "id"},
			{Key: "no", Name: "id", Args: object("bin", query.Number("10"))},
			{Key: "customer", Name: "customer", Fields: []query.Field{{Key: "id_", Name: "id"}}},
		}},
		{Key: "id_", Name: "id", Fields: []query.Field{leaf("countDistinct")}},
	}
	if diff := cmp.Diff(want, got.Field.Fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s := serve(t, shop(t, nil), empty, graph.Options{})
	for text, want := range map[string]string{
		`{ ordersAggregate { key { id } } }`:                                       `Cannot query field \"id\" on type \"OrdersKey\".`,
		`{ ordersAggregate { key { id: id_ } } }`:                                  `The field \"id_\" of type \"OrdersKey\" cannot be called \"id\"`,
		`{ ordersAggregate { _id: count } }`:                                       `The field \"count\" of type \"OrdersAggregate\" cannot be called \"_id\"`,
		`{ ordersAggregate { ...f } } fragment f on OrdersAggregate { id: count }`: `Choose another alias.`,
		`{ items { id: order_id } }`:                                               `The field \"order_id\" of type \"Items\" cannot be called \"id\"`,
		`{ orders { id: region } }`:                                                `The field \"region\" of type \"Orders\" cannot be called \"id\"`,
		`{ orders { __typename: region } }`:                                        `The field \"region\" cannot be called \"__typename\"`,
		`{ __typename: orders { id } }`:                                            `The field \"orders\" cannot be called \"__typename\"`,
	} {
		if got := s.ask(t, tenant(), text); !strings.Contains(got, want) || !strings.Contains(got, `GRAPHQL_VALIDATION_FAILED`) {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
	for _, text := range []string{`{ orders { id _id: id kind: __typename } id: orders { region } }`, `{ __type(name: "Orders") { id: name } }`} {
		if got := s.ask(t, tenant(), text); strings.Contains(got, `"errors"`) {
			t.Errorf("%s: %s", text, got)
		}
	}
}
