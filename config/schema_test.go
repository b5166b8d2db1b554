package config

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"usher/auth"
	"usher/catalog"
)

// schema is a node of usher.schema.json, as far as these tests look.
type schema struct {
	Ref                  string             `json:"$ref"`
	Type                 any                `json:"type"`
	Enum                 []string           `json:"enum"`
	Pattern              string             `json:"pattern"`
	Properties           map[string]*schema `json:"properties"`
	AdditionalProperties json.RawMessage    `json:"additionalProperties"`
	Items                *schema            `json:"items"`
	OneOf                []*schema          `json:"oneOf"`
	Required             []string           `json:"required"`
	Not                  *schema            `json:"not"`
	Minimum              *float64           `json:"minimum"`
	Defs                 map[string]*schema `json:"$defs"`
}

func readSchema(t *testing.T) *schema {
	t.Helper()
	var s schema
	if err := json.Unmarshal(Schema, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

func (s *schema) resolve(root *schema) *schema {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return root.Defs[name]
	}
	return s
}

// elem is the schema of a mapping's values; nil when other keys are refused.
func (s *schema) elem(t *testing.T) *schema {
	t.Helper()
	if len(s.AdditionalProperties) == 0 || string(s.AdditionalProperties) == "false" {
		return nil
	}
	var out schema
	if err := json.Unmarshal(s.AdditionalProperties, &out); err != nil {
		t.Fatal(err)
	}
	return &out
}

// object is the branch of a schema that describes a mapping.
func (s *schema) object() *schema {
	for _, branch := range s.OneOf {
		if branch.Type == "object" {
			return branch
		}
	}
	return s
}

// The schema and the structs that the file is decoded into know the same keys.
func TestSchemaHasTheKeysOfTheStructs(t *testing.T) {
	t.Parallel()
	root := readSchema(t)
	compareKeys(t, root, root, reflect.TypeFor[file](), "")
}

func compareKeys(t *testing.T, root, s *schema, typ reflect.Type, path string) {
	t.Helper()
	if s == nil {
		t.Errorf("%s: the schema says nothing about it", path)
		return
	}
	s = s.resolve(root).object()
	switch {
	case typ == secretType || typ == templateType || typ == namesType || typ == valueType || typ == durationType || typ == reflect.TypeFor[catalog.Operations]():
	case typ.Kind() == reflect.Pointer:
		compareKeys(t, root, s, typ.Elem(), path)
	case typ.Kind() == reflect.Map:
		compareKeys(t, root, s.elem(t), typ.Elem(), path+".*")
	case ordered(typ):
		entry, _ := typ.Elem().FieldByName("Value")
		compareKeys(t, root, s.elem(t), entry.Type, path+".*")
	case typ.Kind() == reflect.Slice:
		compareKeys(t, root, s.Items, typ.Elem(), path+"[]")
	case typ.Kind() == reflect.Struct:
		if string(s.AdditionalProperties) != "false" {
			t.Errorf("%s: the schema allows unknown keys", path)
		}
		known := keysOf(typ)
		for _, key := range slices.Sorted(maps.Keys(known)) {
			compareKeys(t, root, s.Properties[key], known[key], path+"."+key)
		}
		for _, key := range slices.Sorted(maps.Keys(s.Properties)) {
			if known[key] == nil {
				t.Errorf("%s.%s: in the schema only", path, key)
			}
		}
	}
}

func keysOf(typ reflect.Type) map[string]reflect.Type {
	out := make(map[string]reflect.Type)
	for key, v := range fields(reflect.New(typ).Elem()) {
		out[key] = v.Type()
	}
	return out
}

// Every file that is read without a problem is valid by the schema, too.
func TestSchemaAcceptsWhatIsAccepted(t *testing.T) {
	t.Parallel()
	root := readSchema(t)
	env := func(string) (string, bool) { return strings.Repeat("x", 40), true }
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	accepted := 0
	for _, name := range files {
		if _, err := Load(name, env); err != nil {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tree, _ := parseTree(data)
		accepted++
		for _, bad := range check(t, root, root, tree, "") {
			t.Errorf("%s: %s", name, bad)
		}
	}
	if accepted < 3 {
		t.Errorf("only %d files are accepted", accepted)
	}
}

// The schema refuses what it should, so that the test above can fail.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	root := readSchema(t)
	f := func(text string) {
		t.Helper()
		tree, problems := parseTree([]byte(text))
		if problems != nil {
			t.Fatal(problems)
		}
		if len(check(t, root, root, tree, "")) == 0 {
			t.Errorf("%s is valid", text)
		}
	}
	f("serve: {}")
	f("server: {timeout: 30}")
	f("server: {timeout: soon}")
	f("sources: {a: {kind: oracle}}")
	f("sources: {a: {host: x}}")
	f("sources: {a: {kind: postgres, password: literal}}")
	f("datasets: {a: {columns: {b: [x]}}}")
	f("datasets: {a: {key: {}}}")
	f("roles: {a: {datasets: {b: {columns: x}}}}")
	f("datasets: {a: {writable: yes please}}")
	f("datasets: {a: {writable: [insert, drop]}}")
	f("datasets: {a: {deleted: {by: who}}}")
	f("roles: {a: {datasets: {b: {insert: {filter: {a: {eq: 1}}}}}}}")
}

// check validates a tree by the keywords that usher.schema.json uses.
func check(t *testing.T, root, s *schema, n *node, path string) []string {
	t.Helper()
	s = s.resolve(root)
	if len(s.OneOf) > 0 {
		var all []string
		for _, branch := range s.OneOf {
			bad := check(t, root, branch, n, path)
			if len(bad) == 0 {
				return nil
			}
			all = append(all, bad...)
		}
		return all
	}
	types := map[nodeKind][]string{
		nullNode: {"null"}, boolNode: {"boolean"}, numberNode: {"integer", "number"}, textNode: {"string"},
		listNode: {"array"}, mapNode: {"object"},
	}[n.kind]
	switch want := s.Type.(type) {
	case string:
		if !slices.Contains(types, want) {
			return []string{path + ": not of type " + want}
		}
	case []any:
		if !slices.ContainsFunc(want, func(w any) bool { return slices.Contains(types, w.(string)) }) {
			return []string{path + ": of none of the types"}
		}
	}
	var bad []string
	if s.Enum != nil && !slices.Contains(s.Enum, n.text) {
		bad = append(bad, path+": not one of "+strings.Join(s.Enum, ", "))
	}
	if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(n.text) {
		bad = append(bad, path+": not of the pattern")
	}
	if s.Not != nil && len(check(t, root, s.Not, n, path)) == 0 {
		bad = append(bad, path+": is what it must not be")
	}
	if number, err := strconv.ParseFloat(n.text, 64); s.Minimum != nil && (err != nil || number < *s.Minimum) {
		bad = append(bad, path+": too little")
	}
	for i := range n.items {
		if s.Items != nil {
			bad = append(bad, check(t, root, s.Items, n.items[i], path+"[]")...)
		}
	}
	for _, key := range s.Required {
		if _, ok := n.get(key); !ok {
			bad = append(bad, path+": lacks "+key)
		}
	}
	for _, m := range n.members {
		switch at := path + "." + m.key; {
		case s.Properties[m.key] != nil:
			bad = append(bad, check(t, root, s.Properties[m.key], m.value, at)...)
		case string(s.AdditionalProperties) == "false":
			bad = append(bad, at+": unknown key")
		case s.elem(t) != nil:
			bad = append(bad, check(t, root, s.elem(t), m.value, at)...)
		}
	}
	return bad
}

// A number that is left out is the default, everywhere, and nothing else says so: neither null nor, where 0 is no value of its own,
// 0. The schema has the same.
func TestNumbersOfNothing(t *testing.T) {
	t.Parallel()
	root := readSchema(t)
	found, zeros := 0, []string{}
	for _, n := range numbersOf(reflect.TypeFor[file](), "", "", "") {
		found++
		zero := "0"
		if n.duration {
			zero = "0s"
		}
		if n.zero {
			zeros = append(zeros, n.path)
		}
		for _, c := range []struct {
			value, want string
		}{{"~", "has no value; write one, or leave the key out"}, {zero, "0 is no value of it; leave the key out for the default"}} {
			text := n.before + c.value + n.after
			_, err := Parse("usher.yml", []byte(text), func(string) (string, bool) { return "", false })
			taken := c.value == zero && n.zero
			if refused := err != nil && strings.Contains(err.Error(), n.path+": "+c.want); refused == taken {
				t.Errorf("%s: %v", text, err)
			}
			tree, problems := parseTree([]byte(text))
			if problems != nil {
				t.Fatal(text, problems)
			}
			if bad := check(t, root, root, tree, ""); taken == slices.ContainsFunc(bad, func(b string) bool { return strings.Contains(strings.ReplaceAll(b, "[]", ".0"), n.path+": ") }) {
				t.Errorf("%s: the schema says %q", text, bad)
			}
		}
	}
	slices.Sort(zeros)
	if want := []string{"datasets.x.columns.x.scale", "server.drain", "server.profile_rates.block", "server.profile_rates.mutex", "tenants.x.bind.x.extra.x.scale"}; !slices.Equal(zeros, want) || found < 60 {
		t.Errorf("0 is a value of %q, of %d numbers; want %q", zeros, found, want)
	}
}

// place is where a file has a number: what stands before it and after it.
type place struct {
	path, before, after string
	duration, zero      bool
}

func numbersOf(typ reflect.Type, path, before, after string) (out []place) {
	inside := func(typ reflect.Type, key string) []place {
		return numbersOf(typ, strings.TrimPrefix(path+"."+key, "."), before+"{"+key+": ", "}"+after)
	}
	switch {
	case typ == secretType || typ == templateType || typ == namesType || typ == valueType:
	case isNumber(typ):
		return []place{{path: path, before: before, after: after, duration: typ == durationType || typ.Kind() == reflect.Pointer && typ.Elem() == durationType}}
	case typ.Kind() == reflect.Pointer:
		return numbersOf(typ.Elem(), path, before, after)
	case typ.Kind() == reflect.Map:
		return inside(typ.Elem(), "x")
	case ordered(typ):
		entry, _ := typ.Elem().FieldByName("Value")
		return inside(entry.Type, "x")
	case typ.Kind() == reflect.Slice:
		return numbersOf(typ.Elem(), path+".0", before+"[", "]"+after)
	case typ.Kind() == reflect.Struct:
		for key, f := range fields(reflect.New(typ).Elem()) {
			for _, n := range inside(f.Type(), key) {
				n.zero = n.zero || f.zero
				out = append(out, n)
			}
		}
	}
	return out
}

// docs/configuration.md has a line for every key, in the section of its struct.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := make(map[string]string)
	for _, part := range strings.Split(string(data), "\n## ")[1:] {
		title, body, _ := strings.Cut(part, "\n")
		sections[strings.Trim(title, "`")] = body
	}
	f := func(title string, typ reflect.Type, prefix string) {
		t.Helper()
		body, ok := sections[title]
		if !ok {
			t.Errorf("there is no section %s", title)
		}
		for _, key := range slices.Sorted(maps.Keys(keysOf(typ))) {
			if !strings.Contains(body, "| `"+prefix+key+"` |") {
				t.Errorf("section %s has no row for `%s`", title, prefix+key)
			}
		}
	}
	for key := range keysOf(reflect.TypeFor[file]()) {
		if _, ok := sections[key]; !ok {
			t.Errorf("there is no section %s", key)
		}
	}
	f("server", reflect.TypeFor[Server](), "")
	f("issuers", reflect.TypeFor[auth.IssuerSpec](), "")
	f("issuers", reflect.TypeFor[auth.KeysSpec](), "keys.")
	f("issuers", reflect.TypeFor[auth.ClaimsSpec](), "claims.")
	f("issuers", reflect.TypeFor[auth.Claim](), "")
	f("issuers", reflect.TypeFor[auth.MayGrant](), "may_grant.")
	f("sources", reflect.TypeFor[catalog.SourceSpec](), "")
	f("sources", reflect.TypeFor[catalog.PagesSpec](), "pages.")
	f("sources", reflect.TypeFor[catalog.PushdownSpec](), "pushdown.")
	f("sources", reflect.TypeFor[catalog.BodySpec](), "body.")
	f("sources", reflect.TypeFor[catalog.CSVSpec](), "csv.")
	f("sources", reflect.TypeFor[catalog.OAuth2Spec](), "oauth2.")
	f("sources", reflect.TypeFor[catalog.WebhookSpec](), "webhook.")
	f("sources", reflect.TypeFor[catalog.WriterSpec](), "writer.")
	f("sources", reflect.TypeFor[catalog.PluginSpec](), "plugin.")
	f("sources", reflect.TypeFor[catalog.SessionSpec](), "session.")
	f("pools", reflect.TypeFor[Pools](), "")
	f("control", reflect.TypeFor[Control](), "")
	f("control", reflect.TypeFor[ControlPostgres](), "postgres.")
	f("control", reflect.TypeFor[ControlKey](), "key.")
	f("documents", reflect.TypeFor[Documents](), "")
	f("strategies", reflect.TypeFor[catalog.StrategySpec](), "")
	f("limits", reflect.TypeFor[catalog.LimitsSpec](), "")
	f("limits", reflect.TypeFor[catalog.BudgetSpec](), "tenant.")
	f("tenants", reflect.TypeFor[catalog.TenantSpec](), "")
	f("tenants", reflect.TypeFor[catalog.AccountSpec](), "accounts.")
	f("tenants", reflect.TypeFor[catalog.OwnSpec](), "bind.")
	f("parameters", reflect.TypeFor[catalog.ParameterSpec](), "")
	f("roles", reflect.TypeFor[catalog.RightSpec](), "")
	f("datasets", reflect.TypeFor[catalog.DatasetSpec](), "")
	f("columns", reflect.TypeFor[catalog.ColumnSpec](), "")
	f("relations", reflect.TypeFor[catalog.RelationSpec](), "")
	f("measures", reflect.TypeFor[catalog.MeasureSpec](), "")
	f("bind", reflect.TypeFor[catalog.BindingSpec](), "")
	f("bind", reflect.TypeFor[catalog.APIWritesSpec](), "writes.")
	f("bind", reflect.TypeFor[catalog.CallSpec](), "writes.insert.")
}

// The example in the documentation is a file that usher accepts.
func TestDocumentedExample(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "```yaml\n")
	example, _, ok := strings.Cut(rest, "\n```")
	if !ok {
		t.Fatal("there is no example")
	}
	env := func(string) (string, bool) { return strings.Repeat("x", 40), true }
	c, err := Parse("usher.yml", []byte(example), env)
	if err != nil {
		t.Fatal(err)
	}
	_, problems := catalog.Compile(c.Spec, nil)
	if err := c.Locate(problems); err != nil {
		t.Error(err)
	}
	if c.Server.Timeout < time.Second || len(c.Issuers) == 0 {
		t.Error("the example shows neither issuers nor a server")
	}
}
