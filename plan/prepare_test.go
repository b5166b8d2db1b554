package plan_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/fault"
	"usher/plan"
	"usher/plan/plantest"
	"usher/query"
	"usher/slot"
)

// prepare plans a case with slots wherever there can be one.
func (g golden) prepare() (plan.Query, *slot.Slots, error) {
	in := append(plantest.Inputs(g.r, g.p), plan.Now(now))
	slots := slot.New(in)
	r, who := plantest.Slotted(g.r, g.p, slots)
	q, err := plan.Prepare(r, g.cat, who, now, slots.At(len(in)-1))
	return q, slots, err
}

// TestPreparedIsBuilt: a plan whose values come later is the plan of these values,
// when it is bound, and what is refused is refused alike.
func TestPreparedIsBuilt(t *testing.T) {
	t.Parallel()
	cases, _ := goldens(t)
	for _, g := range cases {
		want, wantErr := g.build()
		got, slots, err := g.prepare()
		if wantErr != nil {
			if err == nil || fault.From(err).Message != fault.From(wantErr).Message {
				t.Errorf("%s\nprepared it says %v\nbuilt %v", g.text, err, wantErr)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: prepared it is refused: %v", g.text, err)
			continue
		}
		slots.Seal()
		if diff := cmp.Diff(plan.Dump(want), g.bound(t, got, slots)); diff != "" {
			t.Errorf("%s: -built +prepared:\n%s", g.text, diff)
		}
	}
}

// bound is a prepared plan as it is bound for a case: what it asks, as who.
func (g golden) bound(t *testing.T, q plan.Query, slots *slot.Slots) string {
	t.Helper()
	texts, ok := slots.Bind(append(plantest.Inputs(g.r, g.p), plan.Now(now)))
	if !ok {
		t.Fatalf("%s: nothing can be bound", g.text)
	}
	if !q.Open() || q.Identity().Tenant() != "" {
		t.Errorf("%s: before it is bound it is somebody's", g.text)
	}
	if q.Bind(plan.Binding{}).Valid() {
		t.Errorf("%s: bound to nobody it may be asked", g.text)
	}
	q = q.Bind(plan.BindingOf(g.p, texts))
	if want, err := g.build(); err != nil || !reflect.DeepEqual(q.Identity(), want.Identity()) {
		t.Errorf("%s: bound it is asked as %v", g.text, q.Identity())
	}
	return distinct(plan.Dump(q))
}

var lists = regexp.MustCompile(`\[[^\[\]]*\]`)

// distinct is a dump whose lists have every item once: of values that come later
// nobody knows which are equal.
func distinct(dump string) string {
	return lists.ReplaceAllStringFunc(dump, func(list string) string {
		var items []string
		for _, item := range strings.Split(strings.Trim(list, "[]"), " ") {
			if !slices.Contains(items, item) {
				items = append(items, item)
			}
		}
		return "[" + strings.Join(items, " ") + "]"
	})
}

// TestPreparedForAnother: where a plan is another tenant's too, every tenant
// predicate in it compares with that one's key, and nothing of who asked first is left.
func TestPreparedForAnother(t *testing.T) {
	t.Parallel()
	cases, _ := goldens(t)
	shared, predicates := 0, 0
	for _, g := range cases {
		if g.p.AllTenants {
			continue
		}
		first := g
		first.p.Tenant, first.p.TenantKey, first.p.Subject = "canary-tenant", "424242", "canary-subject"
		q, slots, err := first.prepare()
		if err != nil || !q.Timeless() {
			continue
		}
		said := slots.Said()
		slots.Seal()
		other := g
		other.p.Tenant, other.p.TenantKey, other.p.Subject = "another-tenant", "535353", "another-subject"
		in := append(plantest.Inputs(other.r, other.p), plan.Now(now))
		if answers, _, ok := slots.Guards().Answers(nil, in); !ok || string(answers) != said {
			continue // it is the first one's alone
		}
		texts, ok := slots.Bind(in)
		if !ok {
			t.Errorf("%s: nothing can be bound", g.text)
			continue
		}
		shared++
		want, err := other.build()
		if err != nil {
			t.Errorf("%s: built for another it is refused: %v", g.text, err)
			continue
		}
		if diff := cmp.Diff(plan.Dump(want), other.bound(t, q, slots)); diff != "" {
			t.Errorf("%s: for another: -built +bound:\n%s", g.text, diff)
		}
		for _, canary := range []string{"canary", "424242"} {
			if at := holds(reflect.ValueOf(q), canary, make(map[uintptr]bool)); at != "" {
				t.Errorf("%s: the plan for all holds %q of who asked first: %s", g.text, canary, at)
			}
		}
		var walk func(plan.Level)
		walk = func(l plan.Level) {
			for i := range l.Refs() {
				r := l.Ref(i)
				if r.TenantColumn() == "" {
					continue
				}
				predicates++
				term, open := r.Scope(0).Arg(1).Literal(0).Term()
				if !open || texts[term.Number()] != "535353" {
					t.Errorf("%s: the tenant predicate of %s compares with another key", g.text, r.Dataset())
				}
			}
			for i := range l.Children() {
				walk(l.Child(i))
			}
			if total, ok := l.Total(); ok {
				walk(total)
			}
		}
		walk(q.Root())
	}
	if shared < 100 || predicates < 100 {
		t.Errorf("%d plans are another's too, with %d tenant predicates: the sweep has little to prove", shared, predicates)
	}
}

// TestListsAreShared: a list makes no other plan than another one, however long it is, and its
// argument has what the column can be equal to, each once.
func TestListsAreShared(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/shop.yml")
	if err != nil {
		t.Fatal(err)
	}
	cat := plantest.Catalog(t, string(text), nil)
	long := make([]string, 900)
	for i := range long {
		long[i] = strconv.Itoa(i)
	}
	for _, c := range []struct {
		column, first, second string
		want                  []string
		strategies            []string
	}{
		{"id", "[7]", "[" + strings.Join(long, ", ") + ", 1]", long, []string{"shared", "database"}},
		{"region", `["north"]`, `["a", "a", "b"]`, []string{"a", "b"}, []string{"shared", "database"}},
		{"amount", "[7]", "[1.50, 1.5, 1.234, 99]", []string{"1.5", "99"}, []string{"shared", "database"}},
		{"amount", "[7, 8]", "[1.234]", nil, []string{"shared", "database"}},
		{"status", `["open"]`, `["paid", "lost", "paid"]`, []string{"paid", "lost"}, []string{"shared", "database"}},
	} {
		for _, strategy := range c.strategies {
			prepare := func(list string) golden {
				return golden{
					cat: cat, p: plantest.Principal(t, `tenant: "a", strategy: "`+strategy+`"`),
					r: plantest.Request(t, "orders(where: {"+c.column+": {in: "+list+"}}) { id }"),
				}
			}
			q, slots, err := prepare(c.first).prepare()
			if err != nil {
				t.Fatal(err)
			}
			said := slots.Said()
			slots.Seal()
			other := prepare(c.second)
			in := append(plantest.Inputs(other.r, other.p), plan.Now(now))
			if answers, _, ok := slots.Guards().Answers(nil, in); !ok || string(answers) != said {
				t.Errorf("%s in %s by %s is planned anew", c.column, c.second, strategy)
				continue
			}
			texts, ok := slots.Bind(in)
			term, open := q.Root().Where().Literal(0).Term()
			if !ok || !open || texts[term.Number()] != query.JoinTexts(c.want) {
				t.Errorf("%s in %s by %s is bound as %q", c.column, c.second, strategy, texts)
			}
		}
	}
	for _, wrong := range []string{`amount: {in: ["x"]}`, `status: {in: ["paid", "none"]}`, `status: {in: [1]}`} {
		g := golden{cat: cat, p: plantest.Principal(t, `tenant: "a"`), r: plantest.Request(t, "orders(where: {"+wrong+"}) { id }")}
		_, want := g.build()
		if _, _, err := g.prepare(); err == nil || want == nil || fault.From(err).Message != fault.From(want).Message {
			t.Errorf("%s: %v, built %v", wrong, err, want)
		}
	}
}

// holds finds a text in a value, wherever it is.
func holds(v reflect.Value, text string, seen map[uintptr]bool) string {
	switch v.Kind() { //nolint:exhaustive // nothing else holds text
	case reflect.String:
		if strings.Contains(v.String(), text) {
			return v.String()
		}
	case reflect.Pointer:
		if v.IsNil() || seen[v.Pointer()] {
			return ""
		}
		seen[v.Pointer()] = true
		return holds(v.Elem(), text, seen)
	case reflect.Interface:
		if !v.IsNil() {
			return holds(v.Elem(), text, seen)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if at := holds(v.Field(i), text, seen); at != "" {
				return v.Type().Field(i).Name + " " + at
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if at := holds(v.Index(i), text, seen); at != "" {
				return at
			}
		}
	case reflect.Map:
		for each := v.MapRange(); each.Next(); {
			if at := holds(each.Key(), text, seen) + holds(each.Value(), text, seen); at != "" {
				return at
			}
		}
	}
	return ""
}

// Who asks is read in one file: whoever reads it elsewhere leaves no guard.
func TestWhoAsksIsReadInOnePlace(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file == "who.go" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			for _, member := range []string{".p.Tenant", ".p.Subject", ".p.TenantKey"} {
				if strings.Contains(line, member) && !strings.Contains(line, "asked(") && !strings.Contains(line, `== ""`) {
					t.Errorf("%s:%d reads who asks: %s", file, i+1, strings.TrimSpace(line))
				}
			}
		}
	}
}
