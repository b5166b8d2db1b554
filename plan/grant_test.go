package plan_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
)

// What a grant may say, and what it is told when it may not. The second half
// of a line is a part of the refusal, or empty.
var grants = []struct{ catalog, principal, want string }{
	{"shop.yml", `tenant: "acme", parameters: {regions: ["EU"], since: "2028-01-01T00:00:00Z"}`, ""},
	{"accounts.yml", `tenant: "acme"`, ""},
	{"accounts.yml", `tenant: "acme", accounts: {warehouse: {user: "acme", password: "pw"}}`, ""},
	{"accounts.yml", `tenant: "acme", accounts: {warehouse: {user: "acme", password: "pw"}, walled: {user: "acme", password: "pw"}}`, ""},
	{"accounts.yml", `tenant: "acme", datasets: ["orders"], accounts: {walled: {user: "acme", password: "pw"}}`, `nothing it reaches is read with the account of "walled"`},
	{"accounts.yml", `tenant: "acme", accounts: {silo: {database: "acme", password: "pw"}}`, `nothing it reaches is read with the account of "silo"`},
	{"accounts.yml", `tenant: "acme", strategy: "silo", accounts: {silo: {database: "acme", password: "pw"}}`, ""},
	{"accounts.yml", `tenant: "acme", strategy: "silo", datasets: ["orders"]`, "nothing says where the orders of this tenant are"},
	{"accounts.yml", `tenant: "acme", strategy: "silo", datasets: ["orders"], home: {accounts: {silo: {database: "acme", password: "pw"}}}`, ""},
	{"accounts.yml", `tenant: "acme", home: {accounts: {silo: {host: "evil.example", password: "pw"}}}`, "accounts.silo.host: is not among"},
	{"accounts.yml", `tenant: "acme", accounts: {warehouse: {host: "evil.example", password: "pw"}}`, "accounts.warehouse.host: is not among"},
	{"accounts.yml", `tenant: "acme", accounts: {nowhere: {password: "pw"}}`, `unknown source "nowhere"`},
	{"accounts.yml", `tenant: "acme", strategy: "elsewhere"`, `unknown strategy "elsewhere"`},
	{"accounts.yml", `tenant: "acme", strategies: {orders: "silo"}`, "nothing says where the orders of this tenant are"},
	{"accounts.yml", `tenant: "acme", datasets: ["products"], strategies: {orders: "silo"}, home: {accounts: {silo: {database: "acme", password: "pw"}}}`, ""},
	{"accounts.yml", `tenant: "acme", strategies: {orders: "silo"}, home: {accounts: {silo: {database: "acme", password: "pw"}}}`, ""},
	{"parents.yml", `tenant: "acme", roles: ["all"], strategies: {items: "gateway"}`, `items cannot be reached by the strategy "gateway"`},
	{"parents.yml", `tenant: "acme", roles: ["all"], datasets: ["orders"], strategies: {orders: "api", items: "gateway"}`, ""},
	{"accounts.yml", `tenant: "acme", datasets: ["nothing"]`, `unknown dataset "nothing"`},
	{"own.yml", `tenant: "acme", datasets: ["orders"]`, `without a role no dataset is seen, so not "orders"`},
	{"accounts.yml", `tenant: "acme", roles: ["viewer"]`, `unknown role "viewer"`},
	{"accounts.yml", `tenant: "acme", parameters: {x: 1}`, `unknown parameter "x"`},
	{"accounts.yml", `tenant: "acme", timezone: "Mars/Olympus"`, "Mars/Olympus"},
	{"accounts.yml", `tenant: "acme", metadata: {team: "blue"}`, ""},
	{"accounts.yml", `tenant: "acme", metadata: {team: "a\u0000"}`, "control character"},
	{"accounts.yml", `tenant: "acme", filters: {orders: {region: {eq: "EU"}}}`, ""},
	{"accounts.yml", `tenant: "acme", filters: {orders: {regoin: {eq: "EU"}}}`, `the filter on "orders"`},
	{"accounts.yml", `tenant: "acme", filters: {orders: {region: {equals: "EU"}}}`, `the filter on "orders"`},
	{"accounts.yml", `tenant: "acme", filters: {orders: {}}`, "allows everything"},
	{"accounts.yml", `tenant: "acme", filters: {others: {id: {eq: 1}}}`, `unknown dataset "others"`},
	// Build lets the next one pass as long as nobody asks for orders.
	{"accounts.yml", `tenant: "acme", strategy: "silo", datasets: ["products"], filters: {orders: {region: {eq: "EU"}}}`, "nothing says where the rows"},
	{"accounts.yml", `allTenants: true`, ""},
	{"accounts.yml", `allTenants: true, strategy: "silo"`, "ask as one tenant"},
	{"accounts.yml", `allTenants: true, strategy: "partner"`, "ask as one tenant"},
	{"accounts.yml", `allTenants: true, strategy: "walled"`, "ask as one tenant"},
	{"shop.yml", `tenant: "t7", key: "007", datasets: ["ledger"], parameters: {regions: ["EU"], since: "2028-01-01T00:00:00Z"}`, "no value of its tenant columns"},
	{"shop.yml", `tenant: "acme", filters: {guarded: {id: {eq: 1}}}`, ""},
	{"shop.yml", `tenant: "acme", filters: {orders: {ordered_at: {last: {n: 30, unit: DAY}}}}`, ""},
	{"shop.yml", `tenant: "acme", timezone: "Asia/Tokyo", filters: {orders: {ordered_at: {toDate: MONTH}}}`, ""},
	{"shop.yml", `tenant: "acme", filters: {orders: {ordered_at: {lastAvailable: {n: 3, unit: MONTH}}}}`, ""},
	{"shop.yml", `tenant: "acme", filters: {orders: {ordered_at: {last: {n: 5000, unit: YEAR}}}}`, "the range leaves the years"},
	{"shop.yml", `tenant: "acme", filters: {orders: {ordered_at: {last: {n: 30, unit: FORTNIGHT}}}}`, "a unit of time is one of"},
	{"shop.yml", `tenant: "acme", filters: {orders: {ordered_at: {last: {n: 30, unit: DAY, timezone: "Mars"}}}}`, "not an IANA name"},
	{"shop.yml", `tenant: "acme", filters: {orders: {amount: {between: [{from: 1}]}}}`, "a pair of from and to"},
	{"shop.yml", `tenant: "acme", having: {orders: {count: {gte: 5}}}`, ""},
	{"shop.yml", `tenant: "acme", having: {orders: {amount: {sum: {gt: 10}}, weight: {percentile: {p: 0.5, lt: 1}}}}`, ""},
	{"shop.yml", `tenant: "acme", having: {orders: {revenue: {gte: 5}, profit: {gte: 1}, paidShare: {gt: 0}}}`, ""},
	{"shop.yml", `tenant: "acme", having: {orders: {distributor_id: {countDistinct: {eq: 1}}}}`, ""},
	{"shop.yml", `tenant: "acme", having: {orders: {region: {first: {by: "id", eq: "EU"}}}}`, ""},
	{"shop.yml", `tenant: "acme", having: {orders: {}}`, "allows everything"},
	{"shop.yml", `tenant: "acme", having: {orders: {and: []}}`, "allows everything"},
	{"shop.yml", `tenant: "acme", having: {orders: {count: {gte: null}}}`, "null is no value"},
	{"shop.yml", `tenant: "acme", having: {orders: {count: {}}}`, "is empty"},
	{"shop.yml", `tenant: "acme", having: {orders: null}`, "having must be an object"},
	{"shop.yml", `tenant: "acme", having: {orders: {turnover: {gte: 5}}}`, "having cannot compare \"turnover\""},
	{"shop.yml", `tenant: "acme", having: {orders: {region: {eq: "EU"}}}`, "Cannot query field \"eq\""},
	{"shop.yml", `tenant: "acme", having: {nothing: {count: {gte: 5}}}`, "unknown dataset \"nothing\""},
	{"shop.yml", `tenant: "acme", having: {orders: {ordered_at: {max: {last: {n: 3, unit: DAY}}}}}`, ""},
	{"shop.yml", `tenant: "acme", datasets: ["products"], having: {orders: {profit: {gte: 5}}}`, "a relation that the token does not show"},
	{"own.yml", `tenant: "acme", roles: ["clerk"], having: {orders: {amount: {sum: {gt: 1}}}}`, ""},
	{"shop.yml", ``, "names no tenant"},
	{"mixed.yml", `tenant: "acme", subject: "s", strategies: {webOrders: "partner", orders: "silo"}`, ""},
	{"mixed.yml", `tenant: "acme", subject: "s", strategies: {nothing: "partner"}`, `the unknown dataset "nothing"`},
	{"mixed.yml", `tenant: "acme", subject: "s", strategies: {orders: "nothing"}`, `unknown strategy "nothing" of the dataset orders`},
	{"mixed.yml", `tenant: "acme", subject: "s", strategies: {kinds: "warehouse"}`, "kinds is common"},
	{"mixed.yml", `tenant: "acme", home: {strategies: {nothing: "partner"}}`, `the unknown dataset "nothing"`},
	{"mixed.yml", `tenant: "acme", home: {strategies: {orders: "nothing"}}`, `unknown strategy "nothing"`},
	// An account is used by what a single dataset's strategy leads to.
	{"mixed.yml", `tenant: "acme", subject: "s", strategy: "warehouse", accounts: {partner: {base_url: "https://a.partner.example"}}`, `the account of "partner"`},
	{"mixed.yml", `tenant: "acme", subject: "s", strategy: "warehouse", strategies: {orders: "partner"}, accounts: {partner: {base_url: "https://a.partner.example"}}`, ""},
	{"mixed.yml", `tenant: "acme", home: {allowHosts: ["b.partner.example"], accounts: {partner: {base_url: "https://a.partner.example"}}}`, "what the tenant's record allows"},
	{"mixed.yml", `tenant: "acme", home: {allowHosts: ["no host"]}`, "no host name"},
}

func TestCheckGrant(t *testing.T) {
	t.Parallel()
	for _, c := range grants {
		text, err := os.ReadFile("testdata/" + c.catalog)
		if err != nil {
			t.Fatal(err)
		}
		cat := plantest.Catalog(t, string(text), nil)
		err = plan.CheckGrant(plantest.Principal(t, c.principal), cat, now)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.principal, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.principal, err, c.want)
		case err != nil && fault.From(err).Code != fault.BadUserInput && c.principal != "":
			t.Errorf("%s: %v", c.principal, err)
		}
	}
}

// A range of time in a token means the moment of each question, by the token's
// calendar, and a plan with one is not kept for another moment.
func TestRangesOfTokensRoll(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/shop.yml")
	if err != nil {
		t.Fatal(err)
	}
	cat := plantest.Catalog(t, string(text), nil)
	for zone, midnights := range map[string][]string{
		"UTC":        {"2028-03-29 00:00:00+00", "2028-03-30 00:00:00+00"},
		"Asia/Tokyo": {"2028-03-29 15:00:00+00", "2028-03-30 15:00:00+00"},
	} {
		who := plantest.Principal(t, `tenant: "acme", timezone: "`+zone+`", filters: {orders: {ordered_at: {previous: {n: 1, unit: DAY}}}}`)
		if err := plan.CheckGrant(who, cat, now); err != nil {
			t.Fatal(err)
		}
		for day, midnight := range midnights {
			for _, question := range []string{"orders { id }", "customers { orders { id } }", "itemsAggregate { key { order { region } } count }"} {
				q, err := plan.Build(plantest.Request(t, question), cat, who, now.AddDate(0, 0, day))
				if err != nil {
					t.Fatal(err)
				}
				if dump := plan.Dump(q); q.Timeless() || !strings.Contains(dump, `ordered_at < "`+midnight+`"`) {
					t.Errorf("%s in %s is timeless: %t\n%s", question, zone, q.Timeless(), dump)
				}
			}
		}
	}
}

// Whoever may not be minted for a reason that Build knows is refused by Build
// too; whoever Build serves anything of what it was granted, CheckGrant knows.
func TestWhatBuildRefusesIsNotMinted(t *testing.T) {
	t.Parallel()
	cases, _ := goldens(t)
	passed := 0
	for _, g := range cases {
		_, err := g.build()
		if err == nil || !strings.Contains(err.Error(), "does not fit this gateway") {
			continue
		}
		passed++
		if plan.CheckGrant(g.p, g.cat, now) == nil {
			t.Errorf("%s: %v, but it may be minted", g.text, err)
		}
	}
	if passed < 20 {
		t.Errorf("only %d refusals were compared", passed)
	}
}

// The differences between two accounts are differences between two targets.
func TestTargetsDifferInEveryMember(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/accounts.yml")
	if err != nil {
		t.Fatal(err)
	}
	cat := plantest.Catalog(t, string(text), nil)
	var targets []plan.Target
	for _, account := range []string{
		`{password: "a"}`, `{password: "b"}`, `{schema: "x"}`, `{user: "u", password: "a"}`, `{database: "d", password: "a"}`,
		`{port: 6432, password: "a"}`, `{host: "a.eu.db.example", password: "a"}`, `{host: "b.eu.db.example", password: "a"}`,
	} {
		for _, tenant := range []string{"acme", "globex"} {
			targets = append(targets, target(t, cat, fmt.Sprintf(`tenant: %q, accounts: {warehouse: %s}`, tenant, account), "orders { id }"))
		}
	}
	targets = append(targets,
		target(t, cat, `tenant: "acme"`, "orders { id }"),
		target(t, cat, `tenant: "acme", strategy: "walled"`, "orders { id }"),
		target(t, cat, `tenant: "globex", strategy: "walled"`, "orders { id }"),
		target(t, cat, `tenant: "acme", key: "other", strategy: "walled"`, "orders { id }"))
	for i, a := range targets {
		if slices.Contains(targets[:i], a) {
			t.Errorf("%d: %s is the same as another", i, plan.Target.String(a))
		}
	}
	// Without an account of their own all tenants use one; with a session that
	// names the tenant they do not, not even for what is common.
	same := func(a, b plan.Target, want bool) {
		t.Helper()
		if (a == b) != want {
			t.Errorf("%v and %v: the same is %t", a, b, a == b)
		}
	}
	same(target(t, cat, `tenant: "acme"`, "orders { id }"), target(t, cat, `tenant: "globex"`, "orders { id }"), true)
	same(target(t, cat, `tenant: "acme", strategy: "fixed"`, "orders { id }"), target(t, cat, `tenant: "globex", strategy: "fixed"`, "orders { id }"), true)
	same(target(t, cat, `tenant: "acme"`, "products { id }"), target(t, cat, `tenant: "globex"`, "products { id }"), false)
	same(target(t, cat, `tenant: "acme"`, "products { id }"), target(t, cat, `tenant: "acme"`, "products { id }"), true)
}

// Nothing prints a password, whatever is printed.
func TestAccountsAreNotPrinted(t *testing.T) {
	t.Parallel()
	const secret = "hush-hush"
	text, err := os.ReadFile("testdata/accounts.yml")
	if err != nil {
		t.Fatal(err)
	}
	cat := plantest.Catalog(t, string(text), nil)
	p := plantest.Principal(t, `tenant: "acme", accounts: {warehouse: {user: "acme", password: "`+secret+`"}, partner: {headers: {X: "`+secret+`"}, properties: {a: "`+secret+`"}}}`)
	q, err := plan.Build(plantest.Request(t, "orders { id }"), cat, p, now)
	if err != nil {
		t.Fatal(err)
	}
	ref := q.Root().Ref(0)
	account := ref.Target().Account()
	if account.Password() != secret {
		t.Fatal("the account has no password")
	}
	printed := []any{q, q.Root(), ref, ref.Target(), account, &account, q.Override("partner"), principal.Account{Password: secret}, p}
	for _, v := range printed {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if text := fmt.Sprintf(format, v); strings.Contains(text, secret) {
				t.Errorf("%s of a %T prints the password", format, v)
			}
		}
	}
	if text := plan.Dump(q); strings.Contains(text, secret) {
		t.Error("the dump holds the password")
	}
	refused := plantest.Principal(t, `tenant: "acme", accounts: {warehouse: {host: "evil.example", password: "`+secret+`"}}`)
	if err := plan.CheckGrant(refused, cat, now); err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
		t.Errorf("the refusal is %v", err)
	}
}

// Overrides are handed out as copies, by canonical name.
func TestOverride(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/accounts.yml")
	if err != nil {
		t.Fatal(err)
	}
	cat := plantest.Catalog(t, string(text), nil)
	p := plantest.Principal(t, `tenant: "acme", strategy: "partner", home: {accounts: {partner: {base_url: "https://a.partner.example", headers: {x_a: "1", x_b: "2"}}}}, accounts: {partner: {headers: {X_B: "3"}, properties: {b: "5", a: "4"}}}`)
	q, err := plan.Build(plantest.Request(t, "orders { id }"), cat, p, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []plan.Query{q, q.Fetches(q.Root(), 0)[0].Query()} {
		o := q.Override("partner")
		var got []string
		for name, v := range o.Headers() {
			got = append(got, name+"="+v)
		}
		for name, v := range o.Properties() {
			got = append(got, name+"="+v)
		}
		if want := "X_a=1 X_b=3 a=4 b=5"; strings.Join(got, " ") != want || o.BaseURL() != "https://a.partner.example" {
			t.Errorf("%v at %s, want %s", got, o.BaseURL(), want)
		}
		if v, ok := o.Header("x_B"); !ok || v != "3" {
			t.Errorf("X_b is %q", v)
		}
		if _, ok := o.Property("c"); ok {
			t.Error("there is a property c")
		}
		for range q.Override("lab").Headers() {
			t.Error("there is an override of lab")
		}
	}
}

func target(t *testing.T, cat *catalog.Catalog, who, what string) plan.Target {
	t.Helper()
	q, err := plan.Build(plantest.Request(t, what), cat, plantest.Principal(t, who), now)
	if err != nil {
		t.Fatalf("%s: %v", who, err)
	}
	return q.Root().Ref(0).Target()
}
