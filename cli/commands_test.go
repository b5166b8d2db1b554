package cli_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"usher/cli"
	"usher/test/program"
)

// noCommand are fields of the control plane that no command asks for, and why.
var noCommand = map[string]string{
	"Mutation.login":             "sessions are for browsers; a program has a key",
	"Mutation.logout":            "ends the session of who asks, which no command has",
	"Mutation.logoutEverywhere":  "ends the sessions of who asks, which no command has",
	"Query.console":              "is for pages, which ask what to show",
	"AdminQuery.health":          "is for pages; `/metrics` tells programs more",
	"AdminQuery.findings":        "`usher check` says it",
	"AdminQuery.configuration":   "is for pages; `usher reload` and the log say it",
	"AdminQuery.configuredRoles": "the configuration has them",
	"AdminQuery.roleBounds":      "is for an editor; `role put` says what is refused",

	"AdminQuery.configuredTenants": "the configuration has them",
	"AdminQuery.configuredTenant":  "the configuration has it",

	"Mutation.changePassword": "is for who is logged in; `user password` is for administrators",
	"Query.authenticated":     "is for pages that ask whether to log in",
	"Query.viewer":            "tells a client about its own token",
	"Query.dataset":           "is for clients; `schema` prints all of it",
	"Query.datasets":          "is for clients; `schema` prints all of it",
	"Query.table":             "is data, which clients ask for",
}

// standIn answers as usher would, if every name were there, and notes which
// fields it was asked for. What it is asked must fit the schema.
type standIn struct {
	*httptest.Server
	schema *ast.Schema

	mu    sync.Mutex
	asked map[string]bool
}

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	files, err := filepath.Glob("../schema/*.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	var sources []*ast.Source
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: name, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	s := &standIn{schema: schema, asked: make(map[string]bool)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Query     string
			Variables map[string]any
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		document, err := gqlparser.LoadQueryWithRules(schema, body.Query, nil)
		if err != nil {
			t.Errorf("%v\n%s", err, body.Query)
			return
		}
		operation := document.Operations[0]
		if _, err := validator.VariableValues(schema, operation, body.Variables); err != nil {
			t.Errorf("%v\n%s", err, body.Query)
		}
		s.mu.Lock()
		data := s.answer(operation.SelectionSet)
		s.mu.Unlock()
		if err := json.NewEncoder(w).Encode(map[string]any{"data": data}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) answer(selected ast.SelectionSet) map[string]any {
	out := make(map[string]any)
	for _, each := range selected {
		f := each.(*ast.Field)
		s.asked[f.ObjectDefinition.Name+"."+f.Name] = true
		out[f.Alias] = s.value(f.Definition.Type, f.SelectionSet)
	}
	return out
}

func (s *standIn) value(t *ast.Type, selected ast.SelectionSet) any {
	if t.Elem != nil {
		return []any{s.value(t.Elem, selected)}
	}
	switch def := s.schema.Types[t.NamedType]; {
	case def.Kind == ast.Object:
		return s.answer(selected)
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case t.NamedType == "Int", t.NamedType == "BigInt", t.NamedType == "Float":
		return 1
	case t.NamedType == "Boolean":
		return true
	case t.NamedType == "JSON":
		return map[string]any{"a": 1}
	case t.NamedType == "Timestamp":
		return "2026-01-31T00:00:00Z"
	}
	return "clerk"
}

// leaves are the commands that do something.
func leaves(t *testing.T) []*kong.Node {
	t.Helper()
	return cli.Model(t).Leaves(true)
}

func example(command *kong.Node) []string { return words(command.Tag.Get("example")) }

var word = regexp.MustCompile(`'([^']*)'|"([^"]*)"|([^'" ]+)`)

// words splits a line as a shell does that knows quotes around whole words.
func words(line string) []string {
	var out []string
	for _, found := range word.FindAllStringSubmatch(line, -1) {
		out = append(out, found[1]+found[2]+found[3])
	}
	return out
}

// Help tells the truth: every command has an example, which is one of it.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, command := range leaves(t) {
		line, _, _ := strings.Cut(command.Tag.Get("example"), " > ")
		line = strings.TrimSuffix(strings.TrimPrefix(line, "source <("), ")")
		args := words(line)
		if !strings.HasPrefix(line, command.FullPath()) {
			t.Errorf("%s has the example %q", command.FullPath(), line)
			continue
		}
		if err := cli.Parse(t, args[1:]...); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// What is worth knowing of a token is told beside it, where who reads the token does not
// take it for a part of that.
func TestFindingsOfTokens(t *testing.T) {
	t.Parallel()
	server := newStandIn(t)
	env := func(name string) (string, bool) { return "key", name == "USHER_KEY" }
	for _, args := range [][]string{
		{"token", "create", "--subject", "ann", "--dashboard", "sales"},
		{"token", "narrow", "--dashboard", "sales"},
		{"key", "create", "backend", "--tenant", "acme", "--scope", "tokens:create"},
	} {
		out, errs, err := program.CommandIn(t, env, "", append(args, "--json", "--server", server.URL)...)
		if err != nil || errs != "clerk\n" || !strings.Contains(out, `"findings": [`) {
			t.Errorf("%s: %v\n%s%s", strings.Join(args, " "), err, out, errs)
		}
	}
}

// Whatever the control plane can do and show has a command.
func TestEveryMutationHasACommand(t *testing.T) {
	server := newStandIn(t)
	t.Chdir(t.TempDir())
	program.WriteFile(t, "accounts.json", `[{"source": "silo", "user": "acme", "password": "secret"}]`)
	program.WriteFile(t, "account.json", `{"source": "silo", "user": "acme", "password": "secret"}`)
	program.WriteFile(t, "clerk.yml", "datasets:\n  orders: {columns: [id], limit: 10}\n")
	program.WriteFile(t, "sales.yml", "title: Sales\ntiles:\n  - {id: total, at: {x: 0, y: 0, w: 3, h: 2}, query: '{ sales { total } }', chart: {kind: number, rows: sales, y: [total]}}\n")
	program.WriteFile(t, "sales.graphql", "{ sales { total } }")
	env := func(name string) (string, bool) { return "key", name == "USHER_KEY" }
	for _, command := range leaves(t) {
		if !slices.ContainsFunc(command.Flags, func(f *kong.Flag) bool { return f.Name == "server" }) {
			continue
		}
		if slices.Contains([]string{"usher export", "usher import", "usher health"}, command.FullPath()) { // is no GraphQL, and has tests of its own
			continue
		}
		args := example(command)[1:]
		for _, more := range [][]string{nil, {"--json"}} {
			out, errs, err := program.CommandIn(t, env, "a long password\n", append(slices.Concat(args, more), "--server", server.URL)...)
			if err != nil || out == "" {
				t.Errorf("%s: %v\n%s%s", strings.Join(args, " "), err, out, errs)
			}
			if more != nil && !json.Valid([]byte(out)) {
				t.Errorf("%s prints no JSON: %s", strings.Join(args, " "), out)
			}
		}
	}
	for _, args := range [][]string{
		{"tenant", "strategy", "acme"},
		{"user", "update", "ann", "--no-roles", "--scope", "data:read"},
		{"saved-query", "update", "sales", "--no-shared", "--name", "s", "--description", "d", "--variables", "{}"},
		{"session", "act", "acme", "--reason", "r", "--role", "clerk"},
		{"role", "put", "clerk", "--file", "accounts.json"},
		{"dashboard", "list", "--tenant", "acme"},
	} {
		if out, _, err := program.CommandIn(t, env, "", append(args, "--server", server.URL)...); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	for _, root := range []*ast.Definition{server.schema.Query, server.schema.Mutation, server.schema.Types["AdminQuery"], server.schema.Types["AdminMutation"]} {
		if root == nil {
			continue
		}
		for _, f := range root.Fields {
			name := root.Name + "." + f.Name
			_, excused := noCommand[name]
			if asked := server.asked[name]; asked == excused && !strings.HasPrefix(f.Name, "__") {
				t.Errorf("%s: a command asks for it: %t, and there is a reason why none does: %t", name, asked, excused)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(noCommand)) {
		root, field, _ := strings.Cut(name, ".")
		if def := server.schema.Types[root]; def == nil || def.Fields.ForName(field) == nil {
			t.Errorf("%s is no field", name)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	says := func(want string, args ...string) {
		t.Helper()
		out, err := program.Command(t, args...)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%v: %v\n%s\nwant %s", args, err, out, want)
		}
	}
	says("usher devel (go", "--version")
	says("usher devel (go", "version")
	says("usher devel (go", "serve", "--version")
	says("platform  "+runtime.GOOS+"/"+runtime.GOARCH, "version")
	says(`"version": "devel",`, "version", "--json")
	says("Usage: usher <command>", "help")
	says("Usage: usher <command>")
	says("Usage: usher tenant create <id> [flags]", "help", "tenant", "create")
	says("usher tenant create acme", "tenant", "create", "--help")
	says(`"title"`, "config", "schema")
}

// A command line that is wrong says so by its status, and what may be meant.
func TestUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
		code int
	}{
		{[]string{"tenant", "list", "--serch", "a"}, `did you mean "--search"?; see usher tenant list --help`, 2},
		{[]string{"tenat"}, `did you mean "tenant"?; see usher --help`, 2},
		{[]string{"token", "revoke", "--before", "yesterday"}, "--before: must be a point in time such as 2026-01-31T00:00:00Z; see usher token revoke --help", 2},
		{[]string{"audit", "list", "--to", "2026-01-31"}, "--to: must be a point in time such as ", 2},
		{[]string{"token", "create", "--tenant", "acme", "--subject", "s", "--rate", "0"}, "is nothing, or 0: leave it out", 2},
		{[]string{"help", "tenat"}, `did you mean "tenant"?`, 2},
		{[]string{"tenant"}, "expected one of", 2},
		{[]string{"tenant", "show"}, `expected "<id>"; see usher tenant show --help`, 2},
		{[]string{"tenant", "show", ""}, "is empty: leave it out, or give it a value; see usher tenant show --help", 2},
		{[]string{"token", "create", "--subject", "a", "--expires-in", "1y"}, "months and years have no one length", 2},
		{[]string{"token", "create", "--subject", "a", "--expires-in", "30"}, "such as 500ms, 30s", 2},
		{[]string{"completion", "tcsh"}, "must be one of", 2},
		{[]string{"check", "-c", "nowhere.yml"}, "there is no file nowhere.yml: name the configuration with -c, or write a first one with `usher init`", 1},
		{[]string{"check", "-c", "commands_test.go"}, "commands_test.go:", 1},
		{[]string{"check", "-c", "."}, "is a directory", 1},
	} {
		_, err := program.Command(t, c.args...)
		if err == nil || !strings.Contains(err.Error(), c.want) || cli.ExitCode(err) != c.code {
			t.Errorf("%v: %v, status %d; want %s, %d", c.args, err, cli.ExitCode(err), c.want, c.code)
		}
	}
	if cli.ExitCode(nil) != 0 {
		t.Error("what is done fails")
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"ten"}, "tenant"},
		{[]string{"tenant", "re"}, "rename remove-account resume release-places"},
		{[]string{"tenant", "update", "acme", "--ac"}, "--accounts"},
		{[]string{"completion", ""}, "bash zsh fish --help --version"},
		{[]string{"user", "create", "ann", "--scope", "data:"}, "data:read data:write data:export"},
		{[]string{"serve", "-c", ""}, ""},
		{[]string{"audit", "list", "--kind", ""}, "administration data"},
		{[]string{"__com"}, ""},
	} {
		out, err := program.Command(t, append([]string{"__complete"}, c.words...)...)
		if got := strings.Join(strings.Fields(out), " "); err != nil || got != c.want {
			t.Errorf("%q: %v, %s; want %s", c.words, err, got, c.want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if out, err := program.Command(t, "completion", shell); err != nil || !strings.Contains(out, "usher __complete") {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
	}
}
