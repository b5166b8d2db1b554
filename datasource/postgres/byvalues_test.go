package postgres_test

import (
	"context"
	"testing"

	"usher/catalog"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/value"
)

// planned counts how often a statement is planned for its arguments: an
// immutable function of constants runs while it is planned, and what stands
// beside FALSE does not run at all.
const planned = `
CREATE FUNCTION planned(text) RETURNS boolean IMMUTABLE LANGUAGE sql AS
$$ SELECT set_config('test.planned', (coalesce(nullif(current_setting('test.planned', true), ''), '0')::int + 1)::text, false) <> $1 $$`

type asks func(ctx context.Context, text string, args []string) (value.Rows, error)

// A statement that has to be planned for its arguments is, however often it has
// run; others share a plan from their sixth run on.
func TestPlansByValues(t *testing.T) {
	t.Parallel()
	db := database(t, planned)
	behind := through(db.Bouncer(t, "session", "default_pool_size = 1"), catalog.SessionPooler)
	for name, spec := range map[string]catalog.PostgresSpec{"direct": specOf(db), "behind a pooler": behind} {
		spec.MaxConns = 1
		pg := open(t, spec, postgres.Options{})
		for want, query := range map[string]func(sqlexec.Session) asks{
			`"5"`:  func(s sqlexec.Session) asks { return s.Query },
			`"12"`: func(s sqlexec.Session) asks { return s.(sqlexec.Plans).QueryByValues },
		} {
			err := pg.Session(t.Context(), false, func(s sqlexec.Session) error {
				if _, err := read(t.Context(), s, 1, "SELECT set_config('test.planned', '0', false)"); err != nil {
					return err
				}
				ask := query(s)
				for range 12 {
					rows, err := ask(t.Context(), "SELECT 1::bigint WHERE public.planned($1::text) AND FALSE", []string{"x"})
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
					t.Errorf("%s: planned %s times for its argument, not %s", name, got, want)
				}
				return err
			})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
