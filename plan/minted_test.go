package plan_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"usher/fault"
	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
)

// What a filter may compare that a holder of the minter's roles puts into a
// token with others; the last part of a line is a part of the refusal, or empty.
var minted = []struct{ minter, token, filter, want string }{
	{`roles: ["clerk"]`, `roles: ["clerk"]`, `orders: {region: {eq: "EU"}}`, ""},
	{`roles: ["clerk"]`, `roles: ["clerk"]`, `orders: {owner: {eq: "x"}}`, `orders has no field "owner" to filter by`},
	{`roles: ["clerk"]`, `roles: ["clerk"]`, `orders: {owned: {eq: "x"}}`, `orders has no field "owned" to filter by`},
	{`roles: ["clerk"]`, `roles: ["clerk"]`, `orders: {tenant: {eq: "x"}}`, `orders has no field "tenant" to filter by`},
	{`roles: ["clerk"]`, `roles: ["clerk"]`, `orders: {customer: {name: {eq: "x"}}}`, `orders has no field "customer" to filter by`},
	{`roles: ["clerk"]`, `roles: ["clerk"]`, `customers: {name: {eq: "x"}}`, `unknown dataset "customers"`},
	{`roles: ["clerk"]`, `roles: ["clerk"]`, `customerz: {name: {eq: "x"}}`, `unknown dataset "customerz"`},
	{`roles: ["auditor"], datasets: []`, `roles: ["auditor"], datasets: []`, `orders: {region: {eq: "EU"}}`, `unknown dataset "orders"`},

	// The token shows less than its minter sees.
	{`roles: ["clerk", "auditor"]`, `roles: ["clerk"]`, `orders: {amount: {gt: 1}, owner: {eq: "x"}}`, ""},
	{`roles: ["auditor"]`, `roles: ["auditor"], datasets: []`, `orders: {amount: {gt: 1}}`, ""},
	{`roles: ["clerk", "chief"]`, `roles: ["chief"]`, `orders: {amount: {gt: 1}}`, ""},
	{`roles: ["clerk", "chief"]`, `roles: ["clerk"]`, `orders: {amount: {gt: 1}}`, "no role of yours shows together"},
	{`roles: ["clerk", "chief"]`, `roles: ["clerk", "chief"]`, `orders: {amount: {gt: 1}}`, "no role of yours shows together"},
	{`roles: ["clerk", "chief"]`, `roles: ["clerk", "chief"]`, `orders: {id: {gt: 1}}`, ""},

	// Relations lead to what the minter sees all of.
	{`roles: ["auditor", "chief"]`, `roles: ["chief"]`, `customers: {orders: {some: {region: {eq: "EU"}}}}`, ""},
	{`roles: ["clerk", "chief"]`, `roles: ["chief"]`, `customers: {orders: {some: {region: {eq: "EU"}}}}`, "orders, of which you do not see every row"},
	{`roles: ["clerk", "chief"]`, `roles: ["chief"]`, `customers: {orders: {none: {}}}`, "orders, of which you do not see every row"},
	{`roles: ["auditor", "chief"]`, `roles: ["auditor"]`, `orders: {customer: {name: {eq: "x"}}}`, "customers, of which you do not see every row"},
	{`roles: ["auditor", "support"]`, `roles: ["auditor"]`, `orders: {customer: {name: {eq: "x"}}}`, "customers, of which you do not see every row"},
	{`roles: ["auditor", "chief"], filters: {orders: {region: {eq: "EU"}}}`, `roles: ["chief"]`, `customers: {orders: {some: {}}}`, "orders, of which you do not see every row"},
	{`roles: ["auditor", "chief", "own"], roleSpecs: {own: "{\"datasets\": {\"customers\": {}, \"orders\": {}}}"}`, `roles: ["chief"]`, `customers: {orders: {some: {}}}`, ""},
	{`roles: ["auditor", "chief", "own"], roleSpecs: {own: "{\"datasets\": {\"customers\": {}, \"orders\": {\"columns\": [\"id\"]}}}"}`, `roles: ["chief"]`, `customers: {orders: {some: {region: {eq: "EU"}}}}`, `orders has no field "region"`},
	{`roles: ["auditor", "chief", "own"], roleSpecs: {own: "{\"datasets\": {\"customers\": {}, \"orders\": {\"filter\": {\"region\": {\"eq\": \"EU\"}}}}}"}`, `roles: ["chief"]`, `customers: {orders: {some: {}}}`, "orders, of which you do not see every row"},

	// Words of templates are words, and no role's values.
	{`roles: ["auditor"]`, `roles: ["auditor"]`, `orders: {amount: {gt: "$subject"}}`, "amount: gt"},
	{`roles: ["auditor"]`, `roles: ["auditor"]`, `orders: {amount: {gt: null}}`, "null is no value to compare with"},
	{`roles: ["auditor"]`, `roles: ["auditor"]`, `orders: {amount: {isNull: null}}`, "isNull"},
	{`roles: ["auditor"]`, `roles: ["auditor"]`, `orders: {amount: {}}`, "is empty"},
	{`roles: ["nobody"]`, `roles: ["auditor"]`, `orders: {amount: {gt: 1}}`, `unknown role "nobody"`},
}

// mintedGroups are conditions on groups that somebody puts into a token.
var mintedGroups = []struct{ minter, token, filter, want string }{
	{`roles: ["auditor"]`, `roles: ["auditor"]`, `orders: {count: {gte: 5}}`, ""},
	{`roles: ["auditor"]`, `roles: ["auditor"]`, `orders: {amount: {sum: {gt: 1}}}`, ""},
	{`roles: ["clerk"]`, `roles: ["clerk"]`, `orders: {amount: {sum: {gt: 1}}}`, `having cannot compare "amount"`},
	{`roles: ["clerk"]`, `roles: ["clerk"]`, `customers: {count: {gt: 1}}`, `unknown dataset "customers"`},
	{`roles: ["clerk"]`, `roles: ["clerk"]`, `orders: {id: {sum: {gt: 1}}, nothing: {max: {eq: 1}}}`, `having cannot compare "nothing"`},
	{`roles: ["clerk", "chief"]`, `roles: ["clerk"]`, `orders: {amount: {sum: {gt: 1}}}`, "no role of yours shows together"},
}

// mintedCode is FORBIDDEN for what others may grant, and where the minter's own
// token does not fit; what is not there for the minter is a mistake of theirs.
func mintedCode(err error) fault.Code {
	for _, forbidden := range []string{"of which you do not see every row", "what no role of yours shows", "what the token grants does not fit"} {
		if strings.Contains(err.Error(), forbidden) {
			return fault.Forbidden
		}
	}
	return fault.BadUserInput
}

func TestMintedFilters(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/roles.yml")
	if err != nil {
		t.Fatal(err)
	}
	cat := plantest.Catalog(t, string(text), nil)
	for i, c := range slices.Concat(minted, mintedGroups) {
		const who = `tenant: "acme", subject: "ann", metadata: {team: "blue"}, `
		kind := "filters"
		if i >= len(minted) {
			kind = "having"
		}
		added := plantest.Principal(t, who+kind+`: {`+c.filter+`}`).Grant
		err := plan.CheckMinted(plantest.Principal(t, who+c.minter), plantest.Principal(t, who+c.token), added, cat, now)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %s: %v", c.minter, c.filter, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %s: %v, want %q", c.minter, c.filter, err, c.want)
		case err != nil && fault.From(err).Code != mintedCode(err):
			t.Errorf("%s: %s: %v", c.minter, c.filter, err)
		}
	}
}

// Strategies are added for datasets that the minter sees. One that they do not see
// is as unknown as one that there is not.
func TestMintedStrategies(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/roles.yml")
	if err != nil {
		t.Fatal(err)
	}
	cat := plantest.Catalog(t, string(text), nil)
	const who = `tenant: "acme", subject: "ann", `
	judge := func(minter, dataset string) error {
		added := principal.Grant{Strategies: map[string]string{dataset: "shared"}}
		return plan.CheckMinted(plantest.Principal(t, who+minter), plantest.Principal(t, who+minter), added, cat, now)
	}
	if err := judge(`roles: ["auditor"]`, "orders"); err != nil {
		t.Error(err)
	}
	hidden, unknown := judge(`roles: ["auditor"], datasets: ["customers"]`, "orders"), judge(`roles: ["auditor"], datasets: ["customers"]`, "sredro")
	if hidden == nil || unknown == nil || strings.ReplaceAll(hidden.Error(), "orders", "X") != strings.ReplaceAll(unknown.Error(), "sredro", "X") {
		t.Errorf("a dataset that is hidden: %v; one that there is not: %v", hidden, unknown)
	}
	if code := fault.From(hidden).Code; code != fault.BadUserInput {
		t.Errorf("the code is %s", code)
	}
}
