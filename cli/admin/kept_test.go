package admin_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// TestCheckOfWhatTheStoreKeeps: `usher check` says what the control store keeps that names what the file no longer has,
// in a few lines of each kind, and changes nothing of the store.
func TestCheckOfWhatTheStoreKeeps(t *testing.T) {
	t.Parallel()
	for name, control := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := sellers(t, control.text)
			dir := filepath.Dir(config)
			program.WriteFile(t, filepath.Join(dir, "password"), control.password)
			if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
				t.Fatal(err)
			}
			written := func(name, text string) string {
				file := filepath.Join(dir, name)
				program.WriteFile(t, file, text)
				return file
			}
			text, err := os.ReadFile(config)
			if err != nil {
				t.Fatal(err)
			}
			fuller := strings.NewReplacer("  shared: {", "  spare: {kind: shared, source: shop}\n  shared: {", "  viewer:", "  clerk: {datasets: {orders: {}}}\n  viewer:").Replace(string(text))
			program.WriteFile(t, config, fuller)
			check := func(more ...string) (printed string, err error) {
				t.Helper()
				return program.Command(t, append([]string{"check", "-c", config}, more...)...)
			}
			if printed, err := check(); err != nil || strings.Contains(strings.Replace(printed, "the control store has no tables yet", "", 1), "control store") {
				t.Errorf("before there is a store: %v\n%s", err, printed)
			}
			a := program.Administer(t, config)
			a.Says(t, "tenant", "create", "acme", "--strategy", "shared")
			for n := range 13 {
				a.Says(t, "tenant", "create", fmt.Sprintf("spare%02d", n), "--strategy", "spare")
			}
			a.Says(t, "role", "put", "picky", "--tenant", "acme", "--file", written("picky.yml", "datasets: {orders: {columns: [region]}}"))
			a.Says(t, "role", "put", "modest", "--tenant", "acme", "--file", written("modest.yml", "datasets: {orders: {columns: [id]}}"))
			a.Says(t, "key", "create", "crm", "--tenant", "acme", "--scope", "data:read", "--role", "clerk")
			a.Says(t, "key", "create", "till", "--tenant", "acme", "--scope", "data:read", "--role", "viewer", "--role", "modest")
			if out, _, err := a.With(t, a.Key, "a long password\n", "user", "create", "ann", "--tenant", "acme", "--role", "clerk", "--password-stdin"); err != nil {
				t.Fatal(err, out)
			}
			backend := program.IssuedBy(t, a.Says(t, "key", "create", "backend", "--tenant", "acme", "--scope", "admin", "--scope", "data:read", "--role", "viewer", "--json")).Token
			says := func(args ...string) {
				t.Helper()
				if out, _, err := a.With(t, backend, "", args...); err != nil {
					t.Fatalf("%v: %v\n%s", args, err, out)
				}
			}
			says("saved-query", "create", "regions", "--file", written("regions.graphql", "{ orders { region } }"))
			says("saved-query", "create", "numbers", "--file", written("numbers.graphql", "{ orders { id } }"))
			board := "title: %s\ntiles:\n  - {id: all, at: {x: 0, y: 0, w: 6, h: 4}, query: \"{ orders { %s } }\", chart: {kind: table, rows: orders}}\n"
			says("dashboard", "save", "where", "--file", written("where.yml", fmt.Sprintf(board, "Where", "region")))
			says("dashboard", "save", "which", "--file", written("which.yml", fmt.Sprintf(board, "Which", "id")))
			served, err := check()
			if told := strings.Contains(served, "note: what the control store keeps was not compared"); err != nil || told != (name == "file") {
				t.Errorf("while usher serves: %v\n%s", err, served)
			}
			a.Stop(t)
			if printed, err := check(); err != nil || strings.Contains(printed, "control store") {
				t.Errorf("all fits: %v\n%s", err, printed)
			}

			less := strings.Replace(string(text), ", region: String!", "", 1)
			program.WriteFile(t, config, less)
			before := kept(t, dir)
			few, err := check()
			if err != nil {
				t.Errorf("what the store keeps is no reason not to serve: %v\n%s", err, few)
			}
			for _, want := range []string{
				"note: tenant spare00 of the control store: there is no strategy \"spare\"", "note: tenant spare09 of", "note: and 3 more tenants of the control store",
				"note: role picky of tenant acme of the control store: ", "note: user ann of tenant acme of the control store: ", "note: key crm (",
				"note: saved query regions of tenant acme of the control store: ", "note: dashboard where of tenant acme, tile all of the control store: ",
			} {
				if !strings.Contains(few, want) {
					t.Errorf("nothing is said of %q:\n%s", want, few)
				}
			}
			for _, not := range []string{"spare10", "modest", "till", "numbers", "which", "backend", "tenant acme of"} {
				if strings.Contains(strings.ReplaceAll(few, "of tenant acme of", ""), not) {
					t.Errorf("%q is said, which fits:\n%s", not, few)
				}
			}
			if many, err := check("--tenants"); err == nil || !strings.Contains(many, "\ntenant spare12 of the control store: there is no strategy") {
				t.Errorf("asked for: %v\n%s", err, many)
			}
			if after := kept(t, dir); after != before {
				t.Errorf("the store's file has changed: %s and %s", before, after)
			}
		})
	}
}

// TestCheckSaysWhatEndsServing: a key that is not the one which the store was used with, and a tenant that both the file and
// the store have, are problems of the check with the words with which serving ends.
func TestCheckSaysWhatEndsServing(t *testing.T) {
	t.Parallel()
	for name, control := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := sellers(t, strings.Replace(control.text, "control: {", "control: {key: {id: a, secret: {file: key}}, ", 1))
			key := filepath.Join(filepath.Dir(config), "key")
			secret := func(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }
			program.WriteFile(t, key, secret('A'))
			program.WriteFile(t, filepath.Join(filepath.Dir(config), "password"), control.password)
			a := program.Administer(t, config)
			a.Says(t, "tenant", "create", "acme", "--strategy", "shared")
			a.Stop(t)
			both := func(want string) {
				t.Helper()
				_, ended := program.Command(t, "serve", "-c", config, "--listen", "127.0.0.1:0")
				printed, found := program.Command(t, "check", "-c", config)
				if ended == nil || !strings.Contains(ended.Error(), want) {
					t.Errorf("serving does not end with %q: %v", want, ended)
				}
				if found == nil || !strings.Contains("\n"+printed, want) {
					t.Errorf("the check does not say %q: %v\n%s", want, found, printed)
				}
			}
			program.WriteFile(t, key, secret('B'))
			both("the control store's key a is not the one that this store was used with")
			program.WriteFile(t, key, secret('A'))
			if printed, err := program.Command(t, "check", "-c", config); err != nil {
				t.Errorf("as it was: %v\n%s", err, printed)
			}
			text, err := os.ReadFile(config)
			if err != nil {
				t.Fatal(err)
			}
			program.WriteFile(t, config, string(text)+"tenants: {acme: {}}\n")
			both("the control store has, or had, a tenant of this id or key")
		})
	}
}

// stores are a control store of each kind that is still to be made, and the text of the file `password`.
func stores(t *testing.T) map[string]struct{ text, password string } {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	return map[string]struct{ text, password string }{
		"file":       {inFile, ""},
		"PostgreSQL": {fmt.Sprintf("control: {postgres: {host: %s, port: %d, database: %q, user: %q, password: {file: password}, sslmode: disable}}\n", db.Host, db.Port, db.Name, db.User), db.Password},
	}
}

// kept is what tells one state of a store's file from another.
func kept(t *testing.T, dir string) (out string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil {
			t.Fatal(err)
		}
		out += fmt.Sprintln(file.Name(), info.Size(), info.ModTime())
	}
	return out
}
