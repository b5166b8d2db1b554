package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"usher/catalog"
	"usher/schema"
)

// A clientModule is what a client's cache or compiler has to know of a schema, to
// be printed as a module of JavaScript.
type clientModule struct {
	types    []string            // object types, sorted
	entities map[string][]string // the fields that identify an object, by type; no others are entities
	groups   map[string][]string // fields that answer groups, by the type they are in
	pages    []string            // fields of the query type that answer pages
	nodes    []string            // types whose ids identify an object among those of all types
	numbers  string              // how BigInt and Decimal arrive in JavaScript
}

// newClientModule reads a schema. Rows are entities where a key tells them apart;
// whoever sees the rows of all tenants needs the tenant for that, too. What
// usher itself keeps is known by its id.
func newClientModule(built *schema.Schema, view *catalog.View, allTenants, numbersAreText bool) clientModule {
	m := clientModule{entities: make(map[string][]string), groups: make(map[string][]string), numbers: "number"}
	if numbersAreText {
		m.numbers = "string"
	}
	groups, pages := make(map[string]bool), make(map[string]bool)
	for _, name := range view.Names() {
		typ := view.Dataset(name).Dataset.Type
		groups[typ+"Aggregate"], pages[typ+"Connection"] = true, true
	}
	root := built.AST.Query.Name
	read := func(name string) {
		for _, field := range built.AST.Types[name].Fields {
			switch typ := field.Type.Name(); {
			case groups[typ] && field.Type.Elem != nil:
				m.groups[name] = append(m.groups[name], field.Name)
			case pages[typ] && name == root:
				m.pages = append(m.pages, field.Name)
			}
		}
	}
	read(root)
	for _, o := range built.Objects(allTenants) {
		m.types = append(m.types, o.Type)
		if len(o.Key) > 0 {
			m.entities[o.Type] = o.Key
		}
		if slices.Contains(built.AST.Types[o.Type].Interfaces, "Node") {
			m.nodes = append(m.nodes, o.Type)
		}
		read(o.Type)
	}
	return m
}

// clients are the modules, by the name of the client.
var clients = map[string]func(clientModule, io.Writer){
	"apollo":     clientModule.apollo,
	"graphcache": clientModule.graphcache,
	"relay":      clientModule.relay,
	"codegen":    clientModule.codegen,
}

// apollo prints policies of Apollo Client's InMemoryCache.
func (m clientModule) apollo(out io.Writer) {
	fmt.Fprint(out, `// Printed by "usher schema --client apollo": what Apollo Client's cache has to know of the schema.
//   new InMemoryCache({ typePolicies })
// Objects without an identity stay within the object that they came in.
import { relayStylePagination } from '@apollo/client/utilities';
import { print, visit } from 'graphql';

// key identifies an object where a query selects all of these fields.
const key = (...fields) => (object, { storeObject }) =>
  fields.every((field) => (storeObject ?? object)[field] != null) ? fields : false;

// Groups are by the fields of the key that are selected, so what is selected is a part of what is asked: as it is
// written, with the values of its variables. What a fragment holds is not known here: one that is spread is told
// from others by the document it stands in.
const instance = Math.random().toString(36).slice(2);
const spreads = new WeakMap();
let latest = 0;
const groups = {
  keyArgs: (args, { fieldName, field, variables }) => {
    const known = [JSON.stringify(args ?? {})];
    let all = false;
    const used = new Set();
    if (field?.selectionSet) {
      known.push(print(field.selectionSet));
      visit(field.selectionSet, { FragmentSpread: () => void (all = true), Variable: ({ name }) => void used.add(name.value) });
    }
    if (all) {
      if (!spreads.has(field)) spreads.set(field, ++latest);
      known.push(`+"`${instance}-${spreads.get(field)}`"+`);
    }
    const values = Object.entries(variables ?? {}).filter(([name]) => all || used.has(name));
    if (values.length > 0) known.push(JSON.stringify(values.sort(([a], [b]) => (a < b ? -1 : 1))));
    return `+"`${fieldName}:${known.join('')}`"+`;
  },
  merge: false,
};

export const typePolicies = {
`)
	for _, name := range append([]string{"Query"}, m.types...) {
		var members []string
		key, entity := m.entities[name]
		switch {
		case name == "Query":
		case entity:
			members = append(members, "keyFields: key("+quoted(key)+")")
		default:
			members = append(members, "keyFields: false")
			if m.merged(name) {
				members = append(members, "merge: true")
			}
		}
		if fields := m.groups[name]; len(fields) > 0 {
			members = append(members, "fields: { "+strings.Join(fields, ": groups, ")+": groups }")
		}
		if len(members) > 0 {
			fmt.Fprintf(out, "  %s: { %s },\n", name, strings.Join(members, ", "))
		}
	}
	if !slices.Contains(m.types, "AdminQuery") {
		fmt.Fprint(out, "  AdminQuery: { keyFields: false, merge: true },\n")
	}
	fmt.Fprint(out, `};

// For fetchMore: pages of one list become one list, if they select edges with their cursors. What is asked from the
// end (last) is a list of its own.
//   cache.policies.addTypePolicies(pagePolicies)
const pages = () =>
  relayStylePagination((args) => {
    const { first, after, last, before, ...list } = args ?? {};
    return JSON.stringify({ ...list, backwards: last != null });
  });

export const pagePolicies = {
  Query: {
    fields: {
`)
	for _, field := range m.pages {
		fmt.Fprintf(out, "      %s: pages(),\n", field)
	}
	fmt.Fprint(out, "    },\n  },\n};\n")
}

// merged tells whether what is asked of such an object at different times is of
// one object, as of a page, or of who is asking.
func (m clientModule) merged(typ string) bool {
	return typ == "AdminQuery" || typ == "Viewer" || typ == "PageInfo" || strings.HasSuffix(typ, "Connection")
}

// graphcache prints the keys of urql's normalized cache.
func (m clientModule) graphcache(out io.Writer) {
	fmt.Fprint(out, `// Printed by "usher schema --client graphcache": what urql's normalized cache has to know of the schema.
//   cacheExchange({ keys })
// Objects without an identity stay within the object that they came in.
import { relayPagination } from '@urql/exchange-graphcache/extras';

// key identifies an object where a query selects all of these fields.
const key = (...fields) => (object) =>
  fields.some((field) => object[field] == null) ? null
    : fields.length === 1 ? String(object[fields[0]]) : JSON.stringify(fields.map((field) => object[field]));
const none = () => null;

export const keys = {
`)
	for _, name := range m.types {
		if key, entity := m.entities[name]; entity {
			fmt.Fprintf(out, "  %s: key(%s),\n", name, quoted(key))
			continue
		}
		fmt.Fprintf(out, "  %s: none,\n", name)
	}
	fmt.Fprint(out, `};

// For pages of one list that become one list as they are asked. What is asked from the end (last) is a list of its own.
//   cacheExchange({ keys, resolvers: pageResolvers })
const joined = relayPagination();
const pages = (parent, args, cache, info) => {
  const backwards = (of) => of?.last != null;
  const inspectFields = (key) => cache.inspectFields(key).filter((field) => backwards(field.arguments) === backwards(args));
  return joined(parent, args, Object.create(cache, { inspectFields: { value: inspectFields } }), info);
};

export const pageResolvers = {
  Query: {
`)
	for _, field := range m.pages {
		fmt.Fprintf(out, "    %s: pages,\n", field)
	}
	fmt.Fprint(out, "  },\n};\n")
}

// relay prints what Relay's environment and its compiler need.
func (m clientModule) relay(out io.Writer) {
	fmt.Fprint(out, `// Printed by "usher schema --client relay": what Relay has to know of the schema.
//   new Environment({ network, store, getDataID })
// An id identifies an object among those of its type only, and not every type has one; but for rows that node finds.
const keys = {
`)
	for _, name := range m.types {
		if key, entity := m.entities[name]; entity && !slices.Contains(m.nodes, name) {
			fmt.Fprintf(out, "  %s: [%s],\n", name, quoted(key))
		}
	}
	fmt.Fprintf(out, `};
const nodes = [%s]; // whose id is one among those of all types

export function getDataID(object, type) {
  if (nodes.includes(type)) return object.id;
  const fields = keys[type];
  if (!fields || fields.some((field) => object[field] == null)) return undefined;
  return `+"`${type}:${JSON.stringify(fields.map((field) => object[field]))}`"+`;
}

// For the compiler's configuration.
export const customScalarTypes = {
`, quoted(m.nodes))
	for _, s := range m.scalars() {
		fmt.Fprintf(out, "  %s: '%s',\n", s.name, s.output)
	}
	fmt.Fprint(out, "};\n")
}

// codegen prints the configuration of graphql-codegen.
func (m clientModule) codegen(out io.Writer) {
	fmt.Fprint(out, `// Printed by "usher schema --client codegen": the scalars of the schema for graphql-codegen.
//   generates: { 'src/gql/': { preset: 'client', config } }
export const config = {
  strictScalars: true,
  scalars: {
`)
	for _, s := range m.scalars() {
		fmt.Fprintf(out, "    %s: { input: '%s', output: '%s' },\n", s.name, s.input, s.output)
	}
	fmt.Fprint(out, "  },\n};\n")
}

// scalar is a custom scalar as TypeScript has it.
type scalar struct{ name, input, output string }

func (m clientModule) scalars() []scalar {
	return []scalar{
		{"BigInt", "number | string", m.numbers},
		{"Bytes", "string", "string"},
		{"Date", "string", "string"},
		{"Decimal", "number | string", m.numbers},
		{"Interval", "string", "string"},
		{"JSON", "unknown", "unknown"},
		{"LocalTimestamp", "string", "string"},
		{"Time", "string", "string"},
		{"Timestamp", "string", "string"},
		{"UUID", "string", "string"},
	}
}

// quoted lists names as JavaScript has them.
func quoted(names []string) string {
	out := make([]string, len(names))
	for i, name := range names {
		text, _ := json.Marshal(name) // a string always marshals
		out[i] = string(text)
	}
	return strings.Join(out, ", ")
}
