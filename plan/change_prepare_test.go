package plan_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/query"
	"usher/slot"
	"usher/sqlgen"
	"usher/value"
)

// preparedChange is a change that was prepared, with its statement.
type preparedChange struct {
	change    plan.Change
	statement *sqlgen.Whole // nil: it has none before it is bound
	slots     *slot.Slots
	asked     query.Change // with slots
}

// prepare is false for a change that is planned for each request.
func (c changeCase) prepare(t *testing.T) (preparedChange, bool) {
	t.Helper()
	in := append(plantest.InputsOfChange(c.r, c.p), plan.Now(now))
	out := preparedChange{slots: slot.New(in)}
	defer out.slots.Seal()
	r, who := plantest.SlottedChange(c.r, c.p, out.slots)
	out.asked = r
	var err error
	if out.change, err = plan.PrepareChange(r, c.cat, who, now, out.slots.At(len(in)-1)); err != nil {
		_, built := c.build()
		if !errors.Is(err, plan.ErrEach) && built == nil {
			t.Errorf("%s: prepared it is refused: %v", c.text, err)
		}
		return out, false
	}
	if !sqlgen.AtOnce(out.change, sqlgen.PostgresChange) {
		return out, true
	}
	whole, err := sqlgen.WriteWhole(out.change, sqlgen.PostgresChange)
	if err == nil {
		out.statement = &whole
	} else if !errors.Is(err, sqlgen.ErrOpen) {
		t.Fatal(err)
	}
	return out, true
}

var placeholder = regexp.MustCompile(`\$\d+`)

// spelled is a statement with its arguments in their places: which of them are one may differ.
func spelled(text string, parents int, args []string) string {
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		n, _ := strconv.Atoi(p[1:])
		if n <= parents {
			return p
		}
		return fmt.Sprintf("%q", args[n-1-parents])
	})
}

// statements are all that a change may ask, with their arguments.
type statements struct {
	*testing.T
	text strings.Builder
}

func (s *statements) add(of sqlgen.Statement, err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
	if of.Args.Later() {
		s.Errorf("something comes later in %s", of.Text)
	}
	s.text.WriteString(spelled(of.Text, of.Parents, of.Args.Bind(nil)) + "\n")
}

func (s *statements) level(l plan.Level, write func(plan.Level) (sqlgen.Statement, error)) {
	if l.Refs() > 0 {
		s.add(write(l))
	}
}

func (s *statements) read(l plan.Level) {
	s.add(sqlgen.Render(l, sqlgen.Postgres))
	for i := range l.Children() {
		s.read(l.Child(i))
	}
}

func (s *statements) change(c plan.Change, kept *sqlgen.Whole) {
	fmt.Fprintln(&s.text, c.Dataset(), c.Kind(), c.Snapshot(), c.Settled(), c.Versioned(), c.Given(), c.Keys())
	named := func(l plan.Level) (sqlgen.Statement, error) {
		return sqlgen.Named(l, sqlgen.ToChange, sqlgen.PostgresChange)
	}
	if sqlgen.AtOnce(c, sqlgen.PostgresChange) {
		if kept == nil {
			whole, err := sqlgen.WriteWhole(c, sqlgen.PostgresChange)
			if err != nil {
				s.Fatal(err)
			}
			kept = &whole
		}
		s.text.WriteString(spelled(kept.Text("told"), kept.Parents, kept.Bind(c)) + "\n")
	}
	for i := range c.References() {
		r := c.Reference(i)
		s.level(r.Level(), named)
		if l, ok := r.Lock(); ok {
			s.level(l, named)
		}
		for i := range r.Above() {
			s.level(r.AboveAt(i).Level(), named)
		}
		for n := range r.Tuples() {
			for link := range r.Level().Links() {
				fmt.Fprintf(&s.text, "%q or %v\n", r.Value(link, n).Text(), r.Refusal(n))
			}
		}
	}
	s.level(c.Chosen(), func(l plan.Level) (sqlgen.Statement, error) {
		if l.Links() > 0 {
			return named(l)
		}
		return sqlgen.Chosen(l, sqlgen.PostgresChange)
	})
	s.level(c.Locked(), named)
	for i := range c.Helds() {
		s.level(c.Held(i), named)
	}
	if c.Update().Sets() > 0 {
		s.add(sqlgen.Update(c.Update(), sqlgen.PostgresChange))
	}
	s.level(c.Remove(), func(l plan.Level) (sqlgen.Statement, error) { return sqlgen.Delete(l, "told", sqlgen.PostgresChange) })
	upsert, _ := c.Upsert()
	for i := range upsert.Helds() {
		s.level(upsert.Held(i), named)
	}
	for i := range c.Inserts() {
		carried := value.Bound(value.Of(value.Int), value.Cell{Kind: value.KindInt, Int: 5})
		into := c.Insert(i).Filled(func(int, int) value.Value { return carried }, func(int, int, int) value.Value { return carried })
		s.add(sqlgen.Insert(into, upsert, sqlgen.PostgresChange))
		for row := 0; upsert.Finds() && row < c.Given(); row++ {
			for k := range upsert.Keys() {
				fmt.Fprintf(&s.text, "%q\n", upsert.Found(k, row).Text())
			}
		}
	}
	for i := range c.Keepers() {
		s.level(c.Keeper(i).Level(), named)
	}
	for i := range c.Leftovers() {
		s.level(c.Leftover(i).Level(), named)
	}
	for i := range c.Above() {
		s.level(c.AboveAt(i).Level(), named)
	}
	for i := range c.Checks() {
		s.level(c.Check(i).Level(), func(l plan.Level) (sqlgen.Statement, error) { return sqlgen.Checked(l, "told", sqlgen.PostgresChange) })
	}
	for i := range c.Answers() {
		s.level(c.Answering(i).Root(), func(l plan.Level) (sqlgen.Statement, error) { return sqlgen.Keyed(l, sqlgen.PostgresChange) })
		for n := range c.Answering(i).Root().Children() {
			s.read(c.Answering(i).Root().Child(n))
		}
	}
	for i := range c.Nested() {
		s.change(c.NestedAt(i), nil)
	}
}

// written is all that a change may ask.
func written(t *testing.T, c plan.Change, kept *sqlgen.Whole) string {
	t.Helper()
	s := statements{T: t}
	s.change(c, kept)
	return s.text.String()
}

// TestPreparedChangeIsBuilt: a change that was prepared and is bound to values, those of the
// request and random ones, whoever has them, is the change that is built for them; and what is
// refused then cannot be bound.
func TestPreparedChangeIsBuilt(t *testing.T) {
	t.Parallel()
	cases, _ := changeCases(t)
	random := rand.New(rand.NewPCG(1, 2))
	texts := []string{"1", "7", "-3", "2.5", "99999999999", "1.2345", "", "a", `"\{}',`, "NULL", "true", "2026-01-01", "open"}
	kinds, same, others, refused := make(map[query.ChangeKind]int), 0, 0, 0
	upserted, led, nested, versioned := 0, 0, 0, false
	for _, c := range cases {
		if c.p.AllTenants {
			continue
		}
		first := c
		first.p.Tenant, first.p.TenantKey, first.p.Subject = "canary-tenant", "424242", "canary-subject"
		made, ok := first.prepare(t)
		if !ok {
			continue
		}
		kinds[c.r.Kind]++
		if _, upserts := made.change.Upsert(); upserts {
			upserted++
		}
		led, nested, versioned = led+made.change.References(), nested+made.change.Nested(), versioned || made.change.Versioned()
		said := made.slots.Said()
		for _, canary := range []string{"canary", "424242"} {
			if at := holds(reflect.ValueOf(made.change), canary, make(map[uintptr]bool)); at != "" && !strings.Contains(said, canary) {
				t.Errorf("%s: the plan for all holds %q of who asked first: %s", c.text, canary, at)
			}
			if made.statement != nil && strings.Contains(made.statement.Text("told"), canary) {
				t.Errorf("%s: the statement for all holds %q", c.text, canary)
			}
		}
		for try := range 100 {
			other := first
			of := len(plantest.InputsOfChange(c.r, principal.Principal{})) - 3
			in := append(plantest.InputsOfChange(first.r, first.p), plan.Now(now))
			if try > 0 {
				other.p.Tenant, other.p.TenantKey, other.p.Subject = "another", strconv.Itoa(try), "subject "+strconv.Itoa(try)
				in = append(plantest.InputsOfChange(c.r, other.p), plan.Now(now))
				for i := range of {
					if random.IntN(2) == 0 {
						in[i] = texts[random.IntN(len(texts))]
					}
				}
				args, err := query.Filled(made.asked.Field.Args, in)
				if err != nil {
					t.Fatal(err)
				}
				other.r.Field.Args, _ = args.(query.Object)
			}
			if answers, _, ok := made.slots.Guards().Answers(nil, in); !ok || string(answers) != said {
				continue // it is planned for others
			}
			built, buildErr := other.build()
			bound, ok := made.slots.Bind(in)
			if ok != (buildErr == nil) {
				t.Errorf("%s with %q: bound %t, built %v", c.text, in, ok, buildErr)
				continue
			}
			if !ok {
				refused++
				continue
			}
			change := made.change.Bind(other.p, bound)
			if got, want := written(t, change, made.statement), written(t, built, nil); got != want {
				t.Errorf("%s with %q, bound and built:\n%s", c.text, in, cmp.Diff(got, want))
			}
			if change.Owner() != built.Owner() || change.Identity().Tenant() != built.Identity().Tenant() || change.Identity().Key() != built.Identity().Key() || change.Target() != built.Target() {
				t.Errorf("%s: bound for %q %v, built for %q %v", c.text, change.Owner(), change.Identity(), built.Owner(), built.Identity())
			}
			for i := range built.Inserts() {
				for n := range built.Insert(i).Columns() {
					if g, w := change.Insert(i).Value(n, 0), built.Insert(i).Value(n, 0); g.Null() != w.Null() || g.Value().Text() != w.Value().Text() {
						t.Errorf("%s: %q is inserted, not %q", c.text, g.Value().Text(), w.Value().Text())
					}
				}
			}
			same++
			if try > 0 {
				others++
			}
		}
	}
	for _, kind := range []query.ChangeKind{query.InsertOne, query.Insert, query.UpdateByKey, query.Update, query.DeleteByKey, query.Delete} {
		if kinds[kind] == 0 {
			t.Errorf("prepared are %v", kinds)
		}
	}
	if others < 500 || refused < 100 || upserted == 0 || led == 0 || nested == 0 || !versioned {
		t.Errorf("bound %d times, %d times to other values, and %d times refused; %d are upserts, %d lead to others, %d are nested: there is little to prove", same, others, refused, upserted, led, nested)
	}
}
