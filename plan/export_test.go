package plan_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/fault"
	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/query"
)

var reference = regexp.MustCompile(`^ *t[0-9]+ `)

// TestExport: an export differs from what is answered in its limits and nothing
// else, and is for those alone who have both scopes.
func TestExport(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/shop.yml")
	if err != nil {
		t.Fatal(err)
	}
	cat, who := plantest.Catalog(t, string(text), nil), plantest.Principal(t, `tenant: "acme"`)
	who.Scopes = []principal.Scope{principal.ReadData, principal.ExportData}
	for _, field := range []string{
		`orders { id amount customer { name } items { line } }`,
		`orders(where: {region: {eq: "EU"}}, orderBy: [{amount: DESC}]) { id }`,
		`ordersAggregate { key { region } count }`,
		`orders(limit: 100000, offset: 3) { id }`,
	} {
		asked := plantest.Request(t, field)
		x, err := plan.BuildExport(asked, cat, who, time.Unix(0, 0))
		if err != nil {
			t.Fatal(field, err)
		}
		root := x.Query().Root()
		if given, bounded := asked.Field.Args.Get("limit"); root.Cut() || bounded == (root.Limit() == plan.All) || bounded && given != query.Number("100000") {
			t.Errorf("%s has the limit %d", field, root.Limit())
		}
		for i := range root.Children() {
			if root.Child(i).Limit() != plan.All || root.Child(i).Cut() {
				t.Errorf("a list in %s has the limit %d", field, root.Child(i).Limit())
			}
		}
		if strings.Contains(field, "limit") {
			continue
		}
		q, err := plan.Build(asked, cat, who, time.Unix(0, 0))
		if err != nil {
			t.Fatal(field, err)
		}
		if ours, theirs := confined(x.Query()), confined(q); !slices.Equal(ours, theirs) || len(ours) == 0 {
			t.Errorf("%s has the scopes\n%v\nas an answer\n%v", field, ours, theirs)
		}
	}
	for name, scopes := range map[string][]principal.Scope{
		"none": nil, "reads": {principal.ReadData}, "exports": {principal.ExportData},
		"all others": {principal.ReadData, principal.WriteData, principal.Administer, principal.CreateTokens, principal.Explain},
	} {
		who.Scopes = scopes
		x, err := plan.BuildExport(plantest.Request(t, `orders { id }`), cat, who, time.Unix(0, 0))
		if err == nil || fault.From(err).Code != fault.Forbidden || x.Query().Valid() {
			t.Errorf("%s: %v", name, err)
		}
	}
	who.Scopes = []principal.Scope{principal.ReadData, principal.ExportData}
	who.Tenant = ""
	if _, err := plan.BuildExport(plantest.Request(t, `orders { id }`), cat, who, time.Unix(0, 0)); err == nil {
		t.Error("somebody of no tenant exports")
	}
	if (plan.Export{}).Query().Valid() {
		t.Error("the zero value is valid")
	}
}

// confined are the references of a plan, with what confines them.
func confined(q plan.Query) (out []string) {
	for line := range strings.SplitSeq(plan.Dump(q), "\n") {
		if reference.MatchString(line) {
			out = append(out, line)
		}
	}
	return out
}
