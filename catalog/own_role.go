package catalog

import (
	"slices"
	"strconv"
	"strings"

	"usher/fault"
	"usher/query"
)

// CompileRole makes a role of a tenant's own of its spec, which is JSON of the
// shape of a role in usher.yml. It may name what the tenant may see, and its
// filters compare columns of the dataset itself: a relation would look into
// rows that are not confined by the holder's other roles. Its name is none of
// the catalog's. The error is a *fault.Error that whoever writes the role may
// see: it names nothing that the tenant may not know of.
func CompileRole(c *Catalog, tenant, name string, spec []byte) (*Role, error) {
	return compileRole(c, nil, true, tenant, name, spec)
}

// JudgeRole is what CompileRole says to somebody who writes a role for their
// own tenant: what their view does not show does not exist for them.
func JudgeRole(c *Catalog, writer *View, tenant, name string, spec []byte) error {
	_, err := compileRole(c, writer, false, tenant, name, spec)
	return err
}

func compileRole(c *Catalog, writer *View, kept bool, tenant, name string, spec []byte) (*Role, error) {
	if bad := badPlain(name); bad != "" {
		return nil, fault.New(fault.BadUserInput, "%s", bad)
	}
	if c.Roles[name] != nil {
		return nil, fault.New(fault.BadUserInput, "the name %s is one of the gateway's roles; choose another", name)
	}
	written, err := query.ReadJSON(spec)
	if err != nil {
		return nil, fault.New(fault.BadUserInput, "%s: %v", name, err)
	}
	r := &ownRole{
		compiler: compiler{catalog: c, judged: kept, sees: func(d *Dataset, col *Column) bool {
			shown := writer == nil || writer.Dataset(d.Name).Column(col.Name) != nil
			return shown && (kept || !col.Unsettled) && col.Only.For(tenant) && (col != d.Tenant || col.Expose)
		}},
		role:   &Role{Name: name, Datasets: make(map[string]*Right)},
		writer: writer,
		kept:   kept,
	}
	if writer != nil {
		r.knows = writer.knows
	}
	r.read(r.at("roles", name), written)
	if len(r.problems) > 0 {
		all := make([]string, len(r.problems))
		for i, p := range r.problems {
			all[i] = p.String()
		}
		return nil, fault.New(fault.BadUserInput, "%s", strings.Join(all, "\n"))
	}
	return r.role, nil
}

type ownRole struct {
	compiler
	role   *Role
	writer *View // nil: of whatever the tenant sees
	kept   bool  // it was judged when it was written
}

func (r *ownRole) read(at place, v query.Value) {
	members(at, v, func(at place, m query.Member) {
		if m.Name != "datasets" {
			at.problem("unknown key; a role has `datasets`")
			return
		}
		members(at, m.Value, func(at place, m query.Member) {
			d := r.catalog.byName[m.Name]
			if d == nil && r.kept && r.catalog.Unreached.LeftOut(m.Name) {
				return // what it shows of that is nobody's for now
			}
			if d == nil || r.writer != nil && r.writer.Dataset(m.Name) == nil {
				at.problem("there is no dataset %s", m.Name)
				return
			}
			r.role.Datasets[m.Name] = r.right(at, d, r.role.Name, rightSpec(at, d, m.Value))
		})
	})
	if len(r.role.Datasets) == 0 && len(r.problems) == 0 {
		at.problem("grants nothing; write {\"datasets\": {\"orders\": {}}}")
	}
}

// members calls f with what stands in an object.
func members(at place, v query.Value, f func(place, query.Member)) {
	o, ok := v.(query.Object)
	if !ok {
		at.problem("must be an object")
	}
	for _, m := range o {
		f(at.in(m.Name), m)
	}
}

// rightSpec reads what a role says of a dataset.
func rightSpec(at place, d *Dataset, v query.Value) RightSpec {
	var spec RightSpec
	members(at, v, func(at place, m query.Member) {
		ok := false
		switch m.Name {
		case "columns":
			spec.Columns, ok = textList(m.Value)
		case "filter":
			_, ok = m.Value.(query.Object)
			spec.Filter = m.Value
		case "aggregate":
			var set query.Bool
			set, ok = m.Value.(query.Bool)
			spec.Aggregate = bool(set)
		case "limit":
			var most int
			if most, ok = whole(m.Value); ok {
				spec.Limit = &most
			}
		case "include_deleted":
			var set query.Bool
			set, ok = m.Value.(query.Bool)
			spec.IncludeDeleted = bool(set)
		case "insert":
			spec.Insert, ok = &InsertSpec{}, true
			spec.Insert.Columns, _, spec.Insert.Check = writeSpec(at, m.Value, "columns", "check")
		case "update":
			spec.Update, ok = &UpdateSpec{}, true
			spec.Update.Columns, spec.Update.Filter, spec.Update.Check = writeSpec(at, m.Value, "columns", "filter", "check")
		case "delete":
			spec.Delete, ok = &DeleteSpec{}, true
			_, spec.Delete.Filter, _ = writeSpec(at, m.Value, "filter")
		default:
			at.problem("unknown key; there are columns, filter, aggregate, limit, insert, update, delete and include_deleted")
			return
		}
		if !ok {
			at.problem("must be %s", map[string]string{
				"columns": "a list of names", "filter": "an object such as {\"region\": {\"eq\": \"EU\"}}",
				"aggregate": "true or false", "include_deleted": "true or false", "limit": limitForm(d),
			}[m.Name])
		}
	})
	return spec
}

// writeSpec reads what a role says of one way of writing. It presets nothing: what is
// written without being asked for is the gateway's to say.
func writeSpec(at place, v query.Value, keys ...string) (columns []string, filter, check query.Value) {
	members(at, v, func(at place, m query.Member) {
		ok := slices.Contains(keys, m.Name)
		switch {
		case !ok:
			at.problem("unknown key; there are %s", strings.Join(keys, ", "))
			return
		case m.Name == "columns":
			columns, ok = textList(m.Value)
		case m.Name == "filter":
			filter = m.Value
			_, ok = m.Value.(query.Object)
		case m.Name == "check":
			check = m.Value
			_, ok = m.Value.(query.Object)
		}
		if !ok {
			at.problem("must be %s", map[string]string{
				"columns": "a list of names", "filter": "an object such as {\"region\": {\"eq\": \"EU\"}}", "check": "an object such as {\"region\": {\"eq\": \"EU\"}}",
			}[m.Name])
		}
	})
	return columns, filter, check
}

func textList(v query.Value) ([]string, bool) {
	list, ok := v.(query.List)
	out := make([]string, 0, len(list))
	for _, item := range list {
		text, isText := item.(query.Text)
		ok = ok && isText
		out = append(out, string(text))
	}
	return out, ok
}

func whole(v query.Value) (int, bool) {
	number, ok := v.(query.Number)
	n, err := strconv.Atoi(string(number))
	return n, ok && err == nil
}
