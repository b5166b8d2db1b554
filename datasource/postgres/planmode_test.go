package postgres_test

import (
	"testing"

	"usher/catalog"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
)

// A statement for all arguments is planned for none, from its first run on, and the
// session's way of planning is again what it was for those that follow: also after
// a failure, which takes back what was set.
func TestPlansForAll(t *testing.T) {
	t.Parallel()
	db := database(t, planned)
	behind := through(db.Bouncer(t, "session", "default_pool_size = 1"), catalog.SessionPooler)
	unnamed := through(db.Bouncer(t, "transaction", "default_pool_size = 1"), catalog.TransactionPooler)
	another := through(db.Bouncer(t, "session", "default_pool_size = 1"), catalog.SessionPooler)
	for name, c := range map[string]struct {
		spec     catalog.PostgresSpec
		opts     postgres.Options
		snapshot bool
		forAll   string // how often a statement for all is planned for its argument in 8 runs
		asEver   string // the same of others
	}{
		"direct":                        {specOf(db), postgres.Options{}, false, `"0"`, `"5"`},
		"in a snapshot":                 {specOf(db), postgres.Options{}, true, `"0"`, `"5"`},
		"with settings of its own":      {specOf(db), postgres.Options{Session: catalog.Session{Settings: []catalog.Setting{{Name: "app.x", Value: "1"}}}}, false, `"5"`, `"5"`},
		"behind a pooler":               {behind, postgres.Options{}, false, `"0"`, `"5"`},
		"behind one of transactions":    {unnamed, postgres.Options{}, false, `"8"`, `"8"`},
		"in a snapshot behind a pooler": {another, postgres.Options{}, true, `"5"`, `"5"`},
	} {
		c.spec.MaxConns = 1
		pg := open(t, c.spec, c.opts)
		err := pg.Session(t.Context(), c.snapshot, func(s sqlexec.Session) error {
			forAll, asEver := s.(sqlexec.Plans).QueryForAll, s.Query
			fails := func(ask asks) {
				rows, err := ask(t.Context(), "SELECT 1 / $1::bigint", []string{"0"})
				if err == nil {
					rows.Next()
					err = rows.Err()
				}
				if err == nil {
					t.Errorf("%s: 1 / 0 is a number", name)
				}
			}
			plans := func(ask asks, text, want string) error {
				if _, err := read(t.Context(), s, 1, "SELECT set_config('test.planned', '0', false)"); err != nil {
					return err
				}
				for range 8 {
					rows, err := ask(t.Context(), text, []string{"x"})
					if err != nil {
						return err
					}
					if rows.Next() {
						t.Error("a row that is not there")
					}
					if err := rows.Err(); err != nil {
						return err
					}
				}
				got, err := read(t.Context(), s, 1, "SELECT current_setting('test.planned')")
				if got != want {
					t.Errorf("%s: %q was planned %s times for its argument, not %s", name, text, got, want)
				}
				return err
			}
			steps := []func() error{
				func() error {
					return plans(forAll, "SELECT 1::bigint WHERE public.planned($1::text) AND FALSE", c.forAll)
				},
				func() error {
					return plans(asEver, "SELECT 2::bigint WHERE public.planned($1::text) AND FALSE", c.asEver)
				},
				func() error { fails(forAll); return nil },
				func() error {
					return plans(asEver, "SELECT 3::bigint WHERE public.planned($1::text) AND FALSE", c.asEver)
				},
				func() error {
					return plans(forAll, "SELECT 4::bigint WHERE public.planned($1::text) AND FALSE", c.forAll)
				},
				func() error { fails(asEver); return nil },
				func() error {
					return plans(forAll, "SELECT 5::bigint WHERE public.planned($1::text) AND FALSE", c.forAll)
				},
				func() error { fails(forAll); return nil },
				func() error { fails(asEver); return nil },
				func() error {
					return plans(asEver, "SELECT 6::bigint WHERE public.planned($1::text) AND FALSE", c.asEver)
				},
			}
			if c.snapshot || !c.opts.Session.Empty() { // a transaction, which a failure would end
				steps = steps[:2]
			}
			for _, step := range steps {
				if err := step(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nothing is left behind for whoever meets the pooler's connection next.
func TestPlansForAllLeaveNothing(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	behind := through(db.Bouncer(t, "session", "default_pool_size = 1"), catalog.SessionPooler)
	behind.MaxConns = 1
	pg := open(t, behind, postgres.Options{})
	err := pg.Session(t.Context(), false, func(s sqlexec.Session) error {
		rows, err := s.(sqlexec.Plans).QueryForAll(t.Context(), "SELECT current_setting('plan_cache_mode')", nil)
		if err != nil {
			return err
		}
		if !rows.Next() || string(rows.Cell(0).Text) != "force_generic_plan" {
			t.Errorf("for all: %s", rows.Cell(0).Text)
		}
		got, err := read(t.Context(), s, 1, "SELECT current_setting('plan_cache_mode')")
		if got != `"auto"` {
			t.Errorf("afterwards: %s", got)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
