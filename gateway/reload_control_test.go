package gateway_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// TestReloadStorePassword: another password of the control store's account is taken at a
// reload, even when the store knows the old one no longer; with a configuration that is
// refused it is not. What else of control differs is refused by the name of its key.
func TestReloadStorePassword(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	role := "keeper_" + db.Name
	db.Exec(t, "CREATE ROLE "+role+" LOGIN PASSWORD 'first'; GRANT CREATE ON DATABASE "+db.Name+" TO "+role)
	owner := db.Open(t)
	t.Cleanup(func() { // the test's own context has ended by then
		if _, err := owner.ExecContext(context.Background(), "DROP OWNED BY "+role+" CASCADE; DROP ROLE "+role); err != nil {
			t.Error(err)
		}
	})
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), controlledData)
	password := filepath.Join(dir, "password")
	program.WriteFile(t, password, "first")
	keeper := db
	keeper.User = role
	control := "control:\n  " + strings.Replace(inPostgres(keeper), "{env: PG}", "{file: password}", 1) + "\n"
	read := func(text string) *config.Config {
		t.Helper()
		cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), controlledEnv(db))
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	g, err := gateway.New(t.Context(), read(generation(0)+control), gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	forgets := func() { // every connection that the old password has opened
		t.Helper()
		db.Exec(t, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = '"+role+"'")
	}
	answers := func() error {
		_, err := g.Unclaimed(t.Context())
		if err != nil { // of a connection that was ended a moment ago
			_, err = g.Unclaimed(t.Context())
		}
		return err
	}

	db.Exec(t, "ALTER ROLE "+role+" PASSWORD 'second'")
	forgets()
	program.WriteFile(t, password, "second")
	if err := g.Reload(t.Context(), read(generation(1)+control)); err != nil {
		t.Fatalf("another password: %v", err)
	}
	if err := answers(); err != nil {
		t.Errorf("with another password: %v", err)
	}

	program.WriteFile(t, password, "wrong")
	err = g.Reload(t.Context(), read(generation(2)+control))
	if err == nil || !strings.HasPrefix(err.Error(), "control.postgres.password: the control store cannot be signed in to with it; the cause: ") || !strings.Contains(err.Error(), "password authentication failed") {
		t.Errorf("a password that the store does not take: %v", err)
	}
	if got := operators(t, g, "/metrics"); !strings.Contains(got, "\nusher_config_reload_failed 1\n") {
		t.Error("the metrics do not say that it was refused")
	}
	forgets()
	if err := answers(); err != nil {
		t.Errorf("after a password that the store does not take: %v", err)
	}

	// With the rest of a configuration refused, the password that is taken goes on.
	refused := strings.Replace(generation(1), "id: Int!", "id: Int!, missing: Int", 1)
	program.WriteFile(t, password, "third")
	db.Exec(t, "ALTER ROLE "+role+" PASSWORD 'third'")
	if err := g.Reload(t.Context(), read(refused+control)); err == nil {
		t.Error("a column that is missing is served")
	}
	forgets()
	if err := answers(); err != nil {
		t.Errorf("with a configuration that was refused: %v", err)
	}

	for more, key := range map[string]string{
		"control:\n  " + strings.Replace(inPostgres(keeper), "sslmode", "schema: other, sslmode", 1): "control.postgres.schema",
		control + "  session_idle: 20m\n":                       "control.session_idle",
		control + "  key: {id: a, secret: {env: KEY}}\n":        "control.key",
		control + "  old_keys: [{id: a, secret: {env: KEY}}]\n": "control.old_keys",
		"control: {path: control.duckdb}\n":                     "control.postgres, control.path",
		"":                                                      "control",
	} {
		err := g.Reload(t.Context(), read(generation(2)+more))
		if want := key + " cannot be changed while usher runs: restart it to apply that"; err == nil || err.Error() != want {
			t.Errorf("%v; want %s", err, want)
		}
	}
}
