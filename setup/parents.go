package setup

import (
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
)

// parents finds tables whose rows are a tenant's by what they reference, over as
// many steps as it takes. Where several references lead to tenants, the one is
// taken that has all that speaks for any of the others and more. Without such a
// one the table is left out: a wrong owner would show rows to another tenant.
func parents(tables []*table) {
	references := make(map[*table][]*through)
	for _, t := range tables {
		if !t.open() || t.view {
			continue
		}
		for _, fk := range t.ForeignKeys {
			if to := find(tables, fk.RefSchema, fk.RefTable, t.Schema); to != nil && to != t {
				references[t] = append(references[t], &through{key: fk, to: to})
			}
		}
	}
	for _, t := range tables {
		for _, w := range references[t] {
			if reaches(references, w.to, map[*table]bool{t: true}) {
				t.ways = append(t.ways, w)
			}
		}
		t.ways = distinct(t.ways)
	}
	for _, t := range tables {
		if len(t.ways) > 0 {
			t.choose()
		}
	}
	for _, t := range tables { // those that own each other are owned by no tenant
		steps, up := 0, t
		for ; up.parent != nil && steps <= len(tables); steps++ {
			up = up.parent.to
		}
		if up.parent != nil {
			t.undecided, t.leftOut = true, "its rows belong to those of "+t.parent.to.Name+", and these to its own in turn"
		}
	}
	for changed := true; changed; {
		changed = false
		for _, t := range tables {
			if t.parent != nil && t.leftOut == "" && t.parent.to.leftOut != "" {
				t.undecided, t.leftOut, changed = true, orphaned(t.parent), true
			}
		}
	}
	for _, t := range tables {
		if t.leftOut != "" {
			t.parent = nil
		}
	}
}

// reaches tells whether references lead from a table to rows of tenants, by
// tables that were not seen.
func reaches(references map[*table][]*through, t *table, seen map[*table]bool) bool {
	if t.tenant != "" {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	return slices.ContainsFunc(references[t], func(w *through) bool { return reaches(references, w.to, seen) })
}

// distinct leaves out references that others imply: that of a line to its order
// where one to a line of the order does the same.
func distinct(ways []*through) []*through {
	var out []*through
	for i, w := range ways {
		implied := false
		for j, other := range ways {
			switch {
			case i == j:
			case other.implies(w):
				implied = implied || j < i || !w.implies(other)
			}
		}
		if !implied {
			out = append(out, w)
		}
	}
	return out
}

// implies tells whether the row of a reference leads to that of another one.
func (w *through) implies(other *through) bool {
	var through []string // the columns of the row that lead there
	for _, c := range other.key.Columns {
		i := slices.Index(w.key.Columns, c)
		if i < 0 {
			return false
		}
		through = append(through, w.key.RefColumns[i])
	}
	if w.to == other.to {
		return slices.Equal(through, other.key.RefColumns)
	}
	return slices.ContainsFunc(w.to.ForeignKeys, func(fk catalog.ForeignKey) bool {
		return fk.RefTable == other.to.Name && (fk.RefSchema == other.to.Schema || fk.RefSchema == "" && w.to.Schema == other.to.Schema) &&
			slices.Equal(fk.Columns, through) && slices.Equal(fk.RefColumns, other.key.RefColumns)
	})
}

// sign is what speaks for a row's owner being the one that it references.
type sign int

const (
	direct   sign = 1 << iota // that is the tenant itself
	always                    // every row has one
	keyed                     // it is part of the row's key
	cascades                  // the row is deleted with it
	named                     // the table is called after it
)

var signs = []struct {
	sign sign
	text string
}{
	{direct, "it is the tenant itself"},
	{always, "every row has one"},
	{keyed, "it is part of the key"},
	{cascades, "a row is deleted with it"},
	{named, "the table is named after it"},
}

func (t *table) signs(w *through) sign {
	var out sign
	for s, has := range map[sign]bool{
		direct: w.to.registry, always: t.always(w.key), keyed: t.keyed(w.key), cascades: w.key.Cascade, named: namedAfter(t.Name, w.to.Name),
	} {
		if has {
			out |= s
		}
	}
	return out
}

// choose takes the reference that more speaks for than for any other.
func (t *table) choose() {
	for _, w := range t.ways {
		s := t.signs(w)
		if !slices.ContainsFunc(t.ways, func(other *through) bool {
			o := t.signs(other)
			return other != w && (o == s || o&s != o)
		}) {
			t.parent, t.through = w, w
			return
		}
	}
	var owners []string
	for _, w := range t.ways {
		owners = append(owners, w.String())
	}
	t.undecided = true
	t.leftOut = "nothing tells which of the rows that it references is its owner: that of " + strings.Join(owners, " or that of ")
}

// why names what speaks for the reference that was taken, and not for all
// others.
func (t *table) why() string {
	var common = ^sign(0)
	for _, w := range t.others() {
		common &= t.signs(w)
	}
	var out []string
	for _, s := range signs {
		if t.signs(t.parent)&^common&s.sign != 0 {
			out = append(out, s.text)
		}
	}
	return strings.Join(out, ", ")
}

// others are the references to rows of tenants that were not taken.
func (t *table) others() []*through {
	return slices.DeleteFunc(slices.Clone(t.ways), func(w *through) bool { return w == t.parent })
}

func (w *through) String() string {
	return fmt.Sprintf("%s (by %s)", w.to.Name, strings.Join(w.key.Columns, ", "))
}

func orphaned(w *through) string {
	return fmt.Sprintf("its rows belong to those of %s, which is left out", w.to.Name)
}

// Owned is a table whose rows could be the tenant's of more than one row that
// they reference.
type Owned struct {
	Table, Owner, Why string
	Others            []string
}

// Owned lists the tables whose owners were chosen among several.
func (d *Draft) Owned() []Owned {
	var out []Owned
	for _, t := range d.tables {
		if t.leftOut != "" || t.parent == nil || len(t.ways) < 2 {
			continue
		}
		o := Owned{Table: d.called(t), Owner: t.parent.String(), Why: t.why()}
		for _, w := range t.others() {
			o.Others = append(o.Others, w.String())
		}
		out = append(out, o)
	}
	return out
}

// always tells whether every row has a reference.
func (t *table) always(fk catalog.ForeignKey) bool {
	return !slices.ContainsFunc(fk.Columns, func(name string) bool {
		c, ok := t.column(name)
		return !ok || c.Nullable
	})
}

// keyed tells whether a reference is part of the table's key.
func (t *table) keyed(fk catalog.ForeignKey) bool {
	return !slices.ContainsFunc(fk.Columns, func(name string) bool { return !slices.Contains(t.PrimaryKey, name) })
}

// relation is what the reference becomes in a catalog, or nil.
func (d *Draft) relationOf(ds *catalog.Dataset, w *through) *catalog.Relation {
	if ds == nil {
		return nil
	}
	for _, rel := range ds.Relations {
		same := !rel.Many && rel.To.Name == d.served(w.to.dataset) && len(rel.On) == len(w.key.Columns)
		for _, p := range rel.On {
			same = same && slices.Contains(w.key.Columns, ds.Bindings[d.source.Name].Columns[p.From.Name].Name)
		}
		if same {
			return rel
		}
	}
	return nil
}
