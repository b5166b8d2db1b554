package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"usher/test/noderun"
	"usher/test/program"
)

// TestReact: the React components show dashboards in a page of React's own.
func TestReact(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), `
		CREATE TABLE orders (tenant VARCHAR NOT NULL, total INTEGER NOT NULL);
		INSERT INTO orders VALUES ('acme', 35), ('other', 7);
		CREATE TABLE notes (tenant VARCHAR NOT NULL, text VARCHAR NOT NULL)`)
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, "server: {allowed_origins: [\"*\"]}\n"+filesConfig)
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	if err := os.Mkdir(filepath.Join(dir, "dashboards"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, measure := range map[string]string{"sold": "revenue", "more": "twice"} {
		program.WriteFile(t, filepath.Join(dir, "dashboards", name+".yml"), fmt.Sprintf(soldBoard, measure))
	}
	u := program.Start(t, "serve", "-c", config, "--listen", "127.0.0.1:0")
	noderun.Run(t, "react.mjs", u.Base, program.Sign(t, `{"tenant": "acme", "roles": ["seller"]}`), program.Sign(t, `{"tenant": "other", "roles": ["seller"]}`))
}

// TestPackages: an application installs the packages from usher and nothing of them from elsewhere, and they do in it what they say.
func TestPackages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), `
		CREATE TABLE orders (tenant VARCHAR NOT NULL, total INTEGER NOT NULL);
		CREATE TABLE notes (tenant VARCHAR NOT NULL, text VARCHAR NOT NULL)`)
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, filesConfig)
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	u := program.Start(t, "serve", "-c", config, "--listen", "127.0.0.1:0")
	for token, want := range map[string]string{program.Sign(t, `{"tenant": "acme", "roles": ["seller"]}`): "acme", "nobody's": "UNAUTHENTICATED"} {
		if got := strings.TrimSpace(noderun.Run(t, "packages.mjs", u.Base+"/", t.TempDir(), token)); got != want {
			t.Errorf("the client says %s, not %s", got, want)
		}
	}
}
