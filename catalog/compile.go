package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"usher/lru"
	"usher/query"
	"usher/value"
)

// Defaults of limits, as docs/configuration.md states them.
const (
	defaultRows    = 1000
	defaultMaxRows = 10_000
)

// Compile makes a catalog of a spec, with what the sources were found to
// hold. It reports every problem it finds; the catalog is nil when one of
// them is more than a note.
func Compile(spec Spec, tables Introspected) (*Catalog, []Problem) {
	return compile(spec, tables, nil, false)
}

// compile compiles a spec of which some sources are silent, and datasets, perhaps all, were left out.
func compile(spec Spec, tables Introspected, silent map[string]bool, incomplete bool) (*Catalog, []Problem) {
	c := &compiler{spec: spec, tables: tables, silent: silent, incomplete: incomplete, work: make(map[string]*draft)}
	c.catalog = &Catalog{
		Strategies: make(map[string]*Strategy), Tenants: make(map[string]Tenant), Parameters: make(map[string]*Parameter), Roles: make(map[string]*Role),
		byName: make(map[string]*Dataset), views: lru.New[viewKey, *View](maxViews),
	}
	c.naming()
	var problems []Problem
	c.catalog.Sources, problems = Sources(c.spec)
	c.problems = append(c.problems, problems...)
	for name, s := range c.catalog.Sources {
		_, s.Seen = tables[name]
	}
	c.strategies()
	c.limits()
	c.parameters()
	c.datasets()
	c.roles()
	c.tenants()
	c.checkSchema()
	c.catalog.shapes, c.catalog.told = shapesOf(c.catalog.Datasets), toldBy(spec)
	if Refused(c.problems) {
		return nil, c.problems
	}
	c.catalog.readers = readersOf(c.catalog)
	return c.catalog, c.problems
}

type compiler struct {
	spec     Spec
	tables   Introspected
	catalog  *Catalog
	problems []Problem
	work     map[string]*draft            // datasets in the making
	sees     func(*Dataset, *Column) bool // nil: whoever wrote it sees every column, and may follow relations
	knows    func(parameter string) bool  // nil: whoever wrote it knows every parameter
	judged   bool                         // it was when it was written: what would be refused today holds on
	enums    map[string][]string          // labels of enums that tables have, by the type's name
	rows     int
	maxRows  int

	silent     map[string]bool // sources that nobody could look into yet
	incomplete bool            // datasets were left out
}

func (c *compiler) at(path ...string) place { return place{path: path, to: &c.problems} }

func (c *compiler) limits() {
	l, at := c.spec.Limits, c.at("limits")
	c.rows, c.maxRows = limitPair(at, "rows", "max_rows", l.Rows, l.MaxRows, defaultRows, defaultMaxRows)
	c.catalog.Budgets = Budgets{Tenant: budget(at.in("tenant"), l.Tenant), Token: budget(at.in("token"), l.Token)}
}

// limitPair fills and checks a default and a maximum number of rows. Zero, which might mean
// none or anything, is refused, and only the maximum itself raises the maximum.
func limitPair(at place, rowsKey, maxKey string, rows, maxRows *int, defRows, defMax int) (int, int) {
	most := defMax
	if maxRows != nil {
		if most = *maxRows; most < 1 {
			at.in(maxKey).problem("must be at least 1")
		}
	}
	if rows == nil {
		return min(defRows, most), most
	}
	switch {
	case *rows < 1:
		at.in(rowsKey).problem("must be at least 1")
	case *rows > most:
		at.in(rowsKey).problem("is more than %s, %d", maxKey, most)
	}
	return *rows, most
}

// said is a value that the file says or, where it says none, the default. Zero, which might
// mean none or anything, is a value as any other.
func said[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

func (c *compiler) parameters() {
	for _, name := range slices.Sorted(maps.Keys(c.spec.Parameters)) {
		spec, at := c.spec.Parameters[name], c.at("parameters", name)
		if bad := badName(name); bad != "" {
			at.problem("%s", bad)
		}
		if slices.Contains([]string{"tenant", "subject", "parameters", "metadata"}, name) {
			at.problem("$%s has a meaning of its own in filters; choose another name", name)
		}
		t, ok := parseType(spec.Type)
		if !ok {
			at.in("type").problem("must be a scalar such as String! or a list such as [String!]")
		}
		p := &Parameter{Name: name, Type: t, Required: spec.Default == nil, Default: spec.Default}
		c.catalog.Parameters[name] = p
		switch {
		case spec.Required != nil && *spec.Required && spec.Default != nil:
			at.in("required").problem("a parameter with a default is not required; leave one of the two out")
		case spec.Required != nil && !*spec.Required && spec.Default == nil:
			at.in("default").problem("a parameter that is not required needs a default")
		case spec.Default != nil && ok:
			if bad := badLiteral(t, spec.Default); bad != "" {
				at.in("default").problem("%s", bad)
			}
		}
	}
}

// parseType reads a type as GraphQL writes it: Scalar, Scalar!, [Scalar].
func parseType(text string) (value.Type, bool) {
	text = strings.TrimSuffix(strings.TrimSpace(text), "!")
	list := strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]")
	if list {
		text = strings.TrimSuffix(strings.TrimSpace(text[1:len(text)-1]), "!")
	}
	scalar, ok := value.ScalarByName(text)
	if !ok {
		return value.Type{}, false
	}
	t := value.Of(scalar)
	t.List = list
	return t, true
}

// badLiteral says why a literal of the configuration is no value of a type.
func badLiteral(t value.Type, v query.Value) string {
	if t.Scalar == 0 { // its type is wrong, which is said where it stands
		return ""
	}
	if t.List {
		items, ok := v.(query.List)
		if !ok {
			return "must be a list, " + t.GraphQL()
		}
		for _, item := range items {
			if bad := badLiteral(t.Elem(), item); bad != "" {
				return bad
			}
		}
		return ""
	}
	text, ok := "", false
	switch v := v.(type) {
	case query.Text:
		text, ok = string(v), t.Scalar != value.Boolean
	case query.Enum:
		text, ok = string(v), t.Scalar == value.Enum
	case query.Number:
		text, ok = string(v), t.Numeric()
	case query.Bool:
		text, ok = "false", t.Scalar == value.Boolean
		if v {
			text = "true"
		}
	}
	if !ok {
		return "must be a value of type " + t.GraphQL()
	}
	if _, err := value.Parse(t, text); err != nil {
		return err.Error()
	}
	return ""
}

// unknown says that a name does not exist, and which do.
func unknown[T any](what, name string, known map[string]T) string {
	if name == "" {
		return "must name a " + what + cmp.Or(listed(known), "; none is declared")
	}
	return "there is no " + what + " " + name + cmp.Or(listed(known), "; none is declared")
}

func listed[T any](known map[string]T) string {
	if len(known) == 0 {
		return ""
	}
	return "; there is " + strings.Join(slices.Sorted(maps.Keys(known)), ", ")
}
