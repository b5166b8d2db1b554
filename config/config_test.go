package config_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/catalog"
	"usher/config"
	"usher/query"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func environment(name string) (string, bool) {
	text, ok := map[string]string{
		"PASSWORD": "hidden-password",
		"SECRET":   "hidden-secret-of-forty-characters-length",
		"SHORT":    "hidden",
		"EMPTY":    "",
		"KEY":      "aGlkZGVuLWtleS1vZi10aGlydHktdHdvLWJ5dGVzISE=",
	}[name]
	return text, ok
}

// TestParse reads testdata/*.yml and compares with the .txt beside it: every
// problem, or the effective values.
func TestParse(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			got := ""
			if c, err := config.Load(file, environment); err != nil {
				got = strings.ReplaceAll(err.Error(), file, "usher.yml") + "\n"
			} else {
				got = effective(c)
			}
			if strings.Contains(got, "hidden") {
				t.Errorf("a secret is shown:\n%s", got)
			}
			golden := strings.TrimSuffix(file, ".yml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func effective(c *config.Config) string {
	var b strings.Builder
	c = &config.Config{Server: c.Server, Pools: c.Pools, Control: c.Control, Issuers: slices.Clone(c.Issuers), Spec: c.Spec}
	for i := range c.Issuers {
		keys := &c.Issuers[i].Keys
		keys.Secret, keys.PEM = length(keys.Secret), length(keys.PEM)
	}
	write(&b, "", reflect.ValueOf(*c))
	return b.String()
}

func length(secret string) string {
	if secret == "" {
		return ""
	}
	return fmt.Sprintf("%d bytes", len(secret))
}

// write lists all values that are not zero, one to a line.
func write(b *strings.Builder, path string, v reflect.Value) {
	if secret, ok := v.Interface().(catalog.Secret); ok {
		fmt.Fprintf(b, "%s = %d bytes\n", path, len(secret))
		return
	}
	if text, ok := v.Interface().(catalog.Template); ok {
		fmt.Fprintf(b, "%s = %d bytes\n", path, len(text))
		return
	}
	if q, ok := v.Interface().(query.Value); ok {
		fmt.Fprintf(b, "%s = %#v\n", path, q)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() {
				write(b, strings.TrimPrefix(path+"."+f.Name, "."), v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			write(b, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
		if v.Len() == 0 {
			fmt.Fprintf(b, "%s = empty\n", path)
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			write(b, fmt.Sprintf("%s[%s]", path, key), v.MapIndex(key))
		}
	case reflect.Pointer:
		if v.IsNil() {
			fmt.Fprintf(b, "%s = absent\n", path)
			return
		}
		write(b, path, v.Elem())
	default:
		fmt.Fprintf(b, "%s = %v\n", path, v)
	}
}

func TestLoadNamesAMissingFile(t *testing.T) {
	t.Parallel()
	_, err := config.Load("testdata/nowhere.yml", environment)
	if err == nil || !strings.Contains(err.Error(), "nowhere.yml") {
		t.Error(err)
	}
}

func TestSecretFileIsBounded(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "large"), make([]byte, 70_000), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Parse(filepath.Join(folder, "usher.yml"), []byte("server: {secret: {file: large}}"), environment)
	if err == nil || !strings.Contains(err.Error(), "too large for a secret") {
		t.Error(err)
	}
}

// Printed in any of the usual ways, a secret stays hidden.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	text := "sources: {a: {kind: api, headers: {A: {env: PASSWORD}}}, b: {kind: postgres, password: {env: PASSWORD}}}"
	c, err := config.Parse("usher.yml", []byte(text), environment)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Spec.Sources["b"].Password; got != "hidden-password" {
		t.Errorf("the password is %d bytes of something else", len(got))
	}
	asJSON, err := json.Marshal(c.Spec)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("spec", "spec", c.Spec, "header", c.Spec.Sources["a"].Headers["A"])
	all := fmt.Sprintf("%v %+v %#v %s %s", c.Spec, c.Spec, c.Spec, asJSON, logged.String())
	if strings.Contains(all, "hidden-password") {
		t.Error("a secret is printed:", all)
	}
}

// A problem whose key is not in the file is reported at the nearest key above.
func TestLocate(t *testing.T) {
	t.Parallel()
	text := "datasets:\n  orders:\n    key: [a, b]\n"
	c, err := config.Parse("x/usher.yml", []byte(text), environment)
	if err != nil {
		t.Fatal(err)
	}
	f := func(want string, path ...string) {
		t.Helper()
		problems := []catalog.Problem{{Path: path, Message: "m"}, {Path: path, Message: "n", Note: true}}
		if err := c.Locate(problems); err == nil || err.Error() != want+"m" {
			t.Errorf("%v, want %sm", err, want)
		}
		if notes := c.Notes(problems); len(notes) != 1 || notes[0] != want+"n" {
			t.Errorf("%v, want %sn", notes, want)
		}
	}
	f("x/usher.yml:2:3: datasets.orders: ", "datasets", "orders")
	f("x/usher.yml:3:14: datasets.orders.key.1: ", "datasets", "orders", "key", "1")
	f("x/usher.yml:3:5: datasets.orders.key.7: ", "datasets", "orders", "key", "7")
	f("x/usher.yml:2:3: datasets.orders.tenant: ", "datasets", "orders", "tenant")
	f("x/usher.yml:1:1: sources: ", "sources")
	f("x/usher.yml:1:1: ")
	if err := c.Locate([]catalog.Problem{{Note: true}}); err != nil {
		t.Error("a note is an error:", err)
	}
}

// Whatever the bytes, reading ends in a configuration or in an error.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		none := func(string) (string, bool) { return "", false }
		c, err := config.Parse("nowhere/usher.yml", data, none)
		if (c == nil) == (err == nil) {
			t.Fatalf("%v, %v", c, err)
		}
		if c != nil {
			_, problems := catalog.Compile(c.Spec, nil)
			_ = c.Locate(problems)
		}
	})
}

// A file may begin with a mark of its byte order, and what stands in the place of a secret's file is not waited for.
func TestFilesOfOddKinds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text, err := os.ReadFile("testdata/minimal.yml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.Parse("testdata/minimal.yml", append([]byte("\ufeff"), text...), func(string) (string, bool) { return "secret", true }); err != nil {
		t.Errorf("with a mark: %v", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = config.Parse(filepath.Join(dir, "usher.yml"), []byte("control: {postgres: {host: h, database: d, user: u, password: {file: pipe}}, key: {id: a, secret: {file: pipe}}}\n"), nil)
	if err == nil || strings.Count(err.Error(), "is empty") != 2 {
		t.Errorf("with a pipe that nobody writes to: %v", err)
	}
	if _, err := config.Load(pipe, nil); err == nil {
		t.Error("a pipe that nobody writes to is a configuration")
	}
}
