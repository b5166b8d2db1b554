package catalog

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"usher/query"
)

// What `naming` may say: datasets, columns, relations and measures are served
// under the names they have, or under those in camel case. It is one rule for
// a whole file, which may spell them either way.
const (
	KeepNames  = "keep"
	CamelNames = "camel"
)

// Camel is a name in camel case: order_items and OrderItems become orderItems.
// A name that is in camel case already stays.
func Camel(name string) string {
	first := true
	var b strings.Builder
	for _, w := range words(name) {
		if first {
			w = lowerStart(w)
		} else {
			w = upperStart(w)
		}
		b.WriteString(w)
		first = false
	}
	switch out := b.String(); {
	case out == "":
		return "column"
	case out[0] >= '0' && out[0] <= '9':
		return "_" + out
	case slices.Contains(reservedFields, out):
		return out + "_"
	default:
		return out
	}
}

// lowerStart is a word with a small start: ID becomes id, URLPath urlPath.
func lowerStart(w string) string {
	large := strings.IndexFunc(w, func(r rune) bool { return !unicode.IsUpper(r) })
	switch {
	case large < 0:
		return strings.ToLower(w)
	case large > 1 && unicode.IsLower(rune(w[large])): // the last of them starts the next word
		large--
	}
	return strings.ToLower(w[:large]) + w[large:]
}

// upperStart is a word with a large start, and no larger: TOTAL becomes Total.
func upperStart(w string) string {
	if w == strings.ToUpper(w) {
		w = strings.ToLower(w)
	}
	r, size := utf8.DecodeRuneInString(w)
	return string(unicode.ToUpper(r)) + w[size:]
}

// camelFields gives each physical column a field name in camel case, those
// first that need no change. What meets another is numbered.
func camelFields(physical []string) []string {
	out := make([]string, len(physical))
	taken := make(map[string]bool, len(physical))
	for _, changed := range []bool{false, true} {
		for i, name := range physical {
			if c := Camel(name); (c != name) == changed {
				for n := 2; taken[c]; n++ {
					c = Camel(name) + strconv.Itoa(n)
				}
				out[i], taken[c] = c, true
			}
		}
	}
	return out
}

// naming puts the names of the file into the case that it asks for.
func (c *compiler) naming() {
	switch c.spec.Naming {
	case "", KeepNames:
	case CamelNames:
		c.spec = c.inCamel(c.spec)
	default:
		c.at("naming").problem("must be %s or %s", CamelNames, KeepNames)
	}
}

func (c *compiler) inCamel(spec Spec) Spec {
	spec.Datasets = maps.Clone(spec.Datasets)
	for name, d := range spec.Datasets {
		d.Stored = name
		spec.Datasets[name] = d
	}
	spec.Datasets = renamed(c.at("datasets"), spec.Datasets)
	for name, d := range spec.Datasets {
		d.Tenant.Column, d.Tenant.Through = camelOf(d.Tenant.Column), camelOf(d.Tenant.Through)
		d.Key = camelList(d.Key)
		d.Filter = camelWhere(d.Filter)
		at := c.at("datasets", name)
		d.Version, d.Deleted.At, d.Deleted.By = camelOf(d.Version), camelOf(d.Deleted.At), camelOf(d.Deleted.By)
		d.Presets.Insert = renamed(at.in("presets", "insert"), d.Presets.Insert)
		d.Presets.Update = renamed(at.in("presets", "update"), d.Presets.Update)
		d.Keys = slices.Clone(d.Keys)
		for i, key := range d.Keys {
			d.Keys[i] = camelList(key)
		}
		d.Columns = camelColumns(at.in("columns"), d.Columns)
		d.Relations = camelEntries(at.in("relations"), d.Relations, func(_ string, r *RelationSpec) {
			r.To, r.Through, r.On, r.ToOn = camelOf(r.To), camelOf(r.Through), camelPairs(r.On), camelPairs(r.ToOn)
		})
		d.Measures = camelEntries(at.in("measures"), d.Measures, func(_ string, m *MeasureSpec) {
			m.Expr, m.Filter = camelExpression(m.Expr), camelWhere(m.Filter)
		})
		d.Bind = maps.Clone(d.Bind)
		for source, b := range d.Bind {
			b.Columns = renamed(at.in("bind", source, "columns"), b.Columns)
			b.Writes = camelCalls(b.Writes)
			d.Bind[source] = b
		}
		spec.Datasets[name] = d
	}
	spec.Roles = maps.Clone(spec.Roles)
	for name, r := range spec.Roles {
		r.Datasets = renamed(c.at("roles", name, "datasets"), r.Datasets)
		for dataset, right := range r.Datasets {
			right.Columns, right.Filter = camelList(right.Columns), camelWhere(right.Filter)
			r.Datasets[dataset] = camelWriting(c.at("roles", name, "datasets", dataset), right)
		}
		spec.Roles[name] = r
	}
	spec.Tenants = maps.Clone(spec.Tenants)
	for id, t := range spec.Tenants {
		t.Strategies = renamed(c.at("tenants", id, "strategies"), t.Strategies)
		t.Bindings = renamed(c.at("tenants", id, "bindings"), t.Bindings)
		t.Bind = renamed(c.at("tenants", id, "bind"), t.Bind)
		for dataset, own := range t.Bind {
			at := c.at("tenants", id, "bind", dataset)
			own.Columns = renamed(at.in("columns"), own.Columns)
			own.Extra = camelColumns(at.in("extra"), own.Extra)
			t.Bind[dataset] = own
		}
		spec.Tenants[id] = t
	}
	spec.Strategies = maps.Clone(spec.Strategies)
	for name, s := range spec.Strategies {
		s.Datasets = renamed(c.at("strategies", name, "datasets"), s.Datasets)
		spec.Strategies[name] = s
	}
	spec.Sources = maps.Clone(spec.Sources)
	for name, s := range spec.Sources {
		s.Pushdown.Filters = renamed(c.at("sources", name, "pushdown", "filters"), s.Pushdown.Filters)
		spec.Sources[name] = s
	}
	return spec
}

// camelWriting renames what a right says of writing.
func camelWriting(at place, right RightSpec) RightSpec {
	if right.Insert != nil {
		in := *right.Insert
		in.Columns, in.Check, in.Presets = camelList(in.Columns), camelWhere(in.Check), renamed(at.in("insert", "presets"), in.Presets)
		right.Insert = &in
	}
	if right.Update != nil {
		up := *right.Update
		up.Columns, up.Filter, up.Check = camelList(up.Columns), camelWhere(up.Filter), camelWhere(up.Check)
		right.Update = &up
	}
	if right.Delete != nil {
		right.Delete = &DeleteSpec{Filter: camelWhere(right.Delete.Filter)}
	}
	return right
}

// renamed is a mapping of names, in camel case. Two that become one are
// reported.
func renamed[T any](at place, from map[string]T) map[string]T {
	if from == nil {
		return nil
	}
	out := make(map[string]T, len(from))
	first := make(map[string]string, len(from))
	for _, name := range slices.Sorted(maps.Keys(from)) {
		to := Camel(name)
		if other, taken := first[to]; taken {
			at.in(name).problem("%s and %s are both served as %s; give one of them another name", other, name, to)
			continue
		}
		first[to], out[to] = name, from[name]
	}
	return out
}

func camelEntries[T any](at place, from Ordered[T], change func(name string, value *T)) Ordered[T] {
	if from == nil {
		return nil
	}
	out := make(Ordered[T], 0, len(from))
	first := make(map[string]string, len(from))
	for _, e := range from {
		to := Camel(e.Name)
		if other, taken := first[to]; taken {
			at.in(e.Name).problem("%s and %s are both served as %s; give one of them another name", other, e.Name, to)
			continue
		}
		first[to] = e.Name
		change(e.Name, &e.Value)
		e.Name = to
		out = append(out, e)
	}
	return out
}

// camelColumns keeps what a column is called where it is stored.
func camelColumns(at place, from Ordered[ColumnSpec]) Ordered[ColumnSpec] {
	return camelEntries(at, from, func(name string, col *ColumnSpec) {
		if col.Column == "" {
			col.Column = name
		}
	})
}

// camelOf is a name, if there is one.
func camelOf(name string) string {
	if name == "" {
		return ""
	}
	return Camel(name)
}

func camelList[T ~[]string](from T) T {
	if from == nil {
		return nil
	}
	out := make(T, len(from))
	for i, name := range from {
		out[i] = Camel(name)
	}
	return out
}

func camelPairs(from map[string]string) map[string]string {
	if from == nil {
		return nil
	}
	out := make(map[string]string, len(from))
	for a, b := range from {
		out[Camel(a)] = Camel(b)
	}
	return out
}

// camelWhere renames what a where names, and leaves operators and what they
// compare with.
func camelWhere(v query.Value) query.Value {
	switch v := v.(type) {
	case query.Object:
		out := make(query.Object, len(v))
		for i, m := range v {
			if slices.Contains(valueOps, m.Name) || slices.Contains(listOps, m.Name) || slices.Contains(otherOps, m.Name) {
				out[i] = m
				continue
			}
			if out[i].Name = m.Name; m.Name != "and" && m.Name != "or" && m.Name != "not" {
				out[i].Name = Camel(m.Name)
			}
			out[i].Value = camelWhere(m.Value)
		}
		return out
	case query.List:
		out := make(query.List, len(v))
		for i, item := range v {
			out[i] = camelWhere(item)
		}
		return out
	default:
		return v
	}
}

// camelExpression renames the columns of a measure's expression: words that
// call no function and are no number.
func camelExpression(text string) string {
	var out strings.Builder
	for text != "" {
		end := 0
		for end < len(text) && wordByte(text[end]) {
			end++
		}
		if end == 0 {
			out.WriteByte(text[0])
			text = text[1:]
			continue
		}
		word, rest := text[:end], text[end:]
		if !strings.HasPrefix(strings.TrimLeft(rest, " \t\r\n"), "(") && (word[0] < '0' || word[0] > '9') && word[0] != '.' {
			path := strings.Split(word, ".")
			for i, name := range path {
				path[i] = camelOf(name)
			}
			word = strings.Join(path, ".")
		}
		out.WriteString(word)
		text = rest
	}
	return out.String()
}
