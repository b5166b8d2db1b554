package principal_test

import (
	"reflect"
	"testing"
	"time"

	"usher/principal"
	"usher/query"
)

// Whatever a principal can differ in, its rights are another text: a member
// that somebody adds and forgets fails here.
func TestRightsSayEverything(t *testing.T) {
	t.Parallel()
	known := map[string]bool{
		"Principal.TokenID": true, "Principal.Kind": true, "Principal.Scopes": true, "Principal.Issued": true, "Principal.Expires": true,
		"Principal.Allowances": true, "Routing.Share": true,
	}
	empty := string(principal.Principal{}.AppendRights(nil))
	seen := map[string]string{empty: "nothing"}
	check := func(at string, p principal.Principal) {
		t.Helper()
		got := string(p.AppendRights(nil))
		if known[at] {
			if got != empty {
				t.Errorf("%s decides nothing, and yet the rights are %q", at, got)
			}
			return
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s have the same rights %q", at, other, got)
		}
		seen[got] = at
	}
	set := func(v reflect.Value) {
		switch v.Interface().(type) {
		case string:
			v.SetString("x")
		case principal.Kind:
			v.SetString("et")
		case bool:
			v.SetBool(true)
		case int:
			v.SetInt(7)
		case []string:
			v.Set(reflect.ValueOf([]string{}))
		case []principal.Scope:
			v.Set(reflect.ValueOf([]principal.Scope{principal.Administer}))
		case map[string]string:
			v.Set(reflect.ValueOf(map[string]string{"a": "b"}))
		case map[string]query.Value:
			v.Set(reflect.ValueOf(map[string]query.Value{"a": query.Text("b")}))
		case map[string]principal.Account:
			v.Set(reflect.ValueOf(map[string]principal.Account{"s": {}}))
		case []principal.Filter:
			v.Set(reflect.ValueOf([]principal.Filter{{}}))
		case []principal.Allowance:
			v.Set(reflect.ValueOf([]principal.Allowance{{Limits: principal.Budget{Rows: 1}}}))
		case principal.Share:
			v.Set(reflect.ValueOf(principal.Share{Weight: 1}))
		case *principal.Acting:
			v.Set(reflect.ValueOf(&principal.Acting{}))
		case time.Time:
			v.Set(reflect.ValueOf(time.Unix(1, 0)))
		default:
			t.Fatalf("a member of type %s is new: say here how it is set, and in AppendRights how it is written", v.Type())
		}
	}
	each := func(name string, of any, put func(p *principal.Principal, member reflect.Value)) {
		typ := reflect.TypeOf(of)
		for i := range typ.NumField() {
			field := typ.Field(i)
			if field.Type == reflect.TypeFor[principal.Grant]() || field.Type == reflect.TypeFor[principal.Routing]() {
				continue
			}
			value := reflect.New(typ).Elem()
			set(value.Field(i))
			var p principal.Principal
			put(&p, value)
			check(name+"."+field.Name, p)
		}
	}
	each("Principal", principal.Principal{}, func(p *principal.Principal, v reflect.Value) { *p = v.Interface().(principal.Principal) })
	each("Grant", principal.Grant{}, func(p *principal.Principal, v reflect.Value) { p.Grant = v.Interface().(principal.Grant) })
	each("Routing", principal.Routing{}, func(p *principal.Principal, v reflect.Value) { p.Routing = v.Interface().(principal.Routing) })
	each("Account of the tenant", principal.Account{}, func(p *principal.Principal, v reflect.Value) {
		p.Routing.Accounts = map[string]principal.Account{"source": v.Interface().(principal.Account)}
	})
	each("Account of the grant", principal.Account{}, func(p *principal.Principal, v reflect.Value) {
		p.Grant.Accounts = map[string]principal.Account{"source": v.Interface().(principal.Account)}
	})
	for name, filters := range map[string][]principal.Filter{
		"dataset": {{Dataset: "a"}},
		"null":    {{Where: query.Null{}}},
		"text":    {{Where: query.Text("1")}},
		"number":  {{Where: query.Number("1")}},
		"enum":    {{Where: query.Enum("1")}},
		"list":    {{Where: query.List{query.Number("1")}}},
		"object":  {{Where: query.Object{{Name: "1", Value: query.Null{}}}}},
		"two":     {{Where: query.Text("1")}, {}},
		"having":  {{Having: query.Text("1")}},
	} {
		check("filter with "+name, principal.Principal{Grant: principal.Grant{Filters: filters}})
	}
	check("one role", principal.Principal{Roles: []string{"a,b"}})
	check("two roles", principal.Principal{Roles: []string{"a", "b"}})
}
