package setup

import (
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
)

// parents finds tables whose rows are a tenant's by what they reference, or by the
// one row that references them, over as many steps as it takes. Where several
// references lead to tenants, the one is taken that has all that speaks for any
// of the others and more. Without such a one, and where a row may have none, the
// table is left out: a wrong owner would show rows to another tenant, and rows
// without one would be missing without a word.
func parents(tables []*table, column string) {
	forward, both := make(edges), make(edges)
	for _, t := range tables {
		for _, fk := range t.ForeignKeys {
			to := find(tables, fk.RefSchema, fk.RefTable, t.Schema)
			if to == nil || to == t {
				continue
			}
			to.referrers = append(to.referrers, t)
			if t.open() && !t.view {
				forward[t] = append(forward[t], &through{key: fk, to: to})
			}
			if to.open() && t.leftOut == "" && t.differsIn(fk.Columns) {
				both[to] = append(both[to], &through{key: fk, to: t, back: true})
			}
		}
	}
	for t, ways := range forward {
		both[t] = append(slices.Clone(ways), both[t]...)
	}
	for _, t := range tables {
		if !t.open() || t.view {
			continue
		}
		t.ways = distinct(forward.leading(t, forward[t]))
		if !slices.ContainsFunc(t.ways, t.sure) {
			t.ways = append(t.ways, both.leading(t, both[t][len(forward[t]):])...)
		}
		if len(t.ways) == 0 {
			t.ways = distinct(both.leading(t, forward[t]))
		}
	}
	for _, t := range tables {
		if len(t.ways) > 0 {
			t.choose(t.unseenOwners(column), t.unledOwners(tables))
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

// edges are how rows of tables lead to those of others.
type edges map[*table][]*through

// leading are those of a table's ways that lead to rows of tenants, not by itself.
func (e edges) leading(t *table, ways []*through) []*through {
	var out []*through
	for _, w := range ways {
		if e.reaches(w.to, map[*table]bool{t: true}) {
			out = append(out, w)
		}
	}
	return out
}

// reaches tells whether ways lead from a table to rows of tenants, by tables that
// were not seen.
func (e edges) reaches(t *table, seen map[*table]bool) bool {
	if t.tenant != "" {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	return slices.ContainsFunc(e[t], func(w *through) bool { return e.reaches(w.to, seen) })
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
		direct: w.to.registry, always: t.owes(w), keyed: t.keyed(w.key), cascades: w.key.Cascade, named: namedAfter(t.Name, w.to.Name),
	} {
		if has {
			out |= s
		}
	}
	return out
}

// unledOwners are the references to rows of which nothing that is known leads to a tenant. They may be some tenant's all
// the same, unless the table lists facts or what something may be, is of a tool, or has its rows for these alone.
func (t *table) unledOwners(tables []*table) []*through {
	var out []*through
	for _, fk := range t.ForeignKeys {
		to := find(tables, fk.RefSchema, fk.RefTable, t.Schema)
		w := &through{key: fk, to: to, unled: true}
		if to == nil || to == t || to.tenant != "" || to.Extension || to.tools() || to.fact() || to.kind() || w.makes() ||
			len(to.referrers) == 1 && t.differsIn(fk.Columns) ||
			slices.ContainsFunc(t.ways, func(other *through) bool { return other.to == to || other.implies(w) }) {
			continue
		}
		out = append(out, w)
	}
	return out
}

// choose takes the reference that more speaks for than for any other, if every
// row has it. Where none is of that kind the table may be the other side of one
// that no two rows have: what that row does not reference is nobody's. Those that
// lead to tables which the account may not read, or of which nothing says whose
// rows they hold, count, and are never taken.
func (t *table) choose(blind, unled []*through) {
	var refs, back []*through
	for _, w := range t.ways {
		if w.back {
			back = append(back, w)
		} else {
			refs = append(refs, w)
		}
	}
	var owners []*through // whoever made a row may be of another tenant, or of none
	for _, w := range refs {
		if !w.makes() {
			owners = append(owners, w)
		}
	}
	if slices.ContainsFunc(slices.Concat(owners, unled), func(w *through) bool { return !w.writes() }) {
		owners = slices.DeleteFunc(owners, (*through).writes)
	}
	every := func(w *through) bool { return t.always(w.key) }
	switch w := t.strongest(slices.Concat(owners, blind, unled)); {
	case w != nil && t.sure(w):
		t.parent, t.through = w, w
		return
	case len(blind) == 0 && len(back) == 1 && len(t.referrers) == 1 && !slices.ContainsFunc(unled, every):
		t.parent, t.through = back[0], back[0]
		return
	}
	t.undecided = true
	t.ways = append(t.ways, unled...)
	switch {
	case len(blind) > 0:
		t.leftOut = fmt.Sprintf("a row may be that of %s, which the account may not read, rather than that of %s", listed(blind), listed(t.ways))
	case len(unled) > 0:
		t.leftOut = fmt.Sprintf("a row may be that of %s, of which nothing says whose it is, rather than that of %s", listed(unled), listed(slices.Concat(refs, back)))
	default:
		t.leftOut = t.doubt(refs, back)
	}
}

// doubt says why none of the ways to a tenant is taken.
func (t *table) doubt(refs, back []*through) string {
	switch {
	case len(back) > 1:
		return "nothing tells which of the rows that reference it is its owner: that of " + listed(back)
	case len(back) == 1:
		return fmt.Sprintf("a row may be that of %s, but more than that references it: %s", back[0], strings.Join(t.referring(back[0].to), ", "))
	case len(refs) > 0 && !slices.ContainsFunc(refs, func(w *through) bool { return !w.makes() }):
		return fmt.Sprintf("a row may be that of %s: but who made it, or has to do with it, need not be of the tenant whose it is", listed(refs))
	case len(refs) == 1 && t.always(refs[0].key):
		return fmt.Sprintf("a row may be that of %s, of which not all are a tenant's: what is of a kind need not be the tenant's whose that is", refs[0])
	case len(refs) == 1:
		return fmt.Sprintf("a row may be that of %s, which may be null: such rows would be nobody's", refs[0])
	}
	return "nothing tells which of the rows that it references is its owner: that of " + listed(refs)
}

func listed(ways []*through) string {
	var owners []string
	for _, w := range ways {
		owners = append(owners, w.String())
	}
	return strings.Join(owners, " or that of ")
}

// referring are the names of the tables that reference it, but for one reference of the one that is named.
func (t *table) referring(but *table) []string {
	var out []string
	for _, r := range t.referrers {
		if r == but {
			but = nil
		} else {
			out = append(out, r.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// strongest is the reference that has all that speaks for any other, and more.
func (t *table) strongest(refs []*through) *through {
	for _, w := range refs {
		s := t.signs(w)
		if !slices.ContainsFunc(refs, func(other *through) bool {
			o := t.signs(other)
			return other != w && (o == s || o&s != o)
		}) {
			return w
		}
	}
	return nil
}

// sure tells whether every row has a reference, and the database sees to it that it is one.
func (t *table) sure(w *through) bool {
	return !w.back && !w.guess && !w.blind && !w.unled && t.owes(w)
}

// owes tells whether every row has a reference, to a row that is some tenant's. What something may be is listed for
// everybody where the list has rows without a tenant: what is of a kind is not the tenant's whose the kind is.
func (t *table) owes(w *through) bool {
	c, ok := w.to.column(w.to.tenant)
	return t.always(w.key) && (!w.to.kind() || ok && !c.Nullable)
}

// why names what speaks for the reference that was taken, and not for all
// others.
func (t *table) why() string {
	if t.parent.back {
		return "no row has to reference any of the others"
	}
	common := ^sign(0)
	for _, w := range t.others() {
		common &= t.signs(w)
	}
	var out []string
	for _, s := range signs {
		if t.signs(t.parent)&^common&s.sign != 0 {
			out = append(out, s.text)
		}
	}
	if slices.ContainsFunc(t.others(), func(w *through) bool { return w.makes() || w.writes() && !t.parent.writes() }) {
		out = append(out, "who made a row, or has to do with it, need not be of the tenant whose it is")
	}
	return strings.Join(out, ", ")
}

// others are the references to rows of tenants that were not taken.
func (t *table) others() []*through {
	return slices.DeleteFunc(slices.Clone(t.ways), func(w *through) bool { return w == t.parent })
}

// What a column calls whoever did something with a row, or is to do it.
var doers = strings.Fields("by creator modifier editor updater uploader reviewer approver assignee assigned inspector")

// makes tells whether a reference is called after what somebody did with the row, or is to do: its creator, whom it was changed
// by, or is assigned to.
func (w *through) makes() bool { return w.called(doers) }

// What a column calls whoever wrote what a row says, and may well be the one whose it is, where nothing else is.
var writers = strings.Fields("author writer poster commenter submitter reporter")

// writes tells whether a reference is called after whoever wrote what the row says.
func (w *through) writes() bool { return w.called(writers) }

// called tells whether a column of a reference is called like one of these.
func (w *through) called(names []string) bool {
	return !w.back && slices.ContainsFunc(w.key.Columns, func(column string) bool {
		return slices.ContainsFunc(words(column), func(word string) bool { return slices.Contains(names, word) })
	})
}

func (w *through) String() string {
	if w.back {
		return fmt.Sprintf("%s (whose %s references it)", w.to.Name, strings.Join(w.key.Columns, ", "))
	}
	return fmt.Sprintf("%s (by %s)", w.to.Name, strings.Join(w.key.Columns, ", "))
}

// columns are the table's own, by which it is related.
func (w *through) columns() []string {
	if w.back {
		return w.key.RefColumns
	}
	return w.key.Columns
}

// there are the columns of the table that a way leads to.
func (w *through) there() []string {
	if w.back {
		return w.key.Columns
	}
	return w.key.RefColumns
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

// differsIn tells whether no two rows agree in the columns.
func (t *table) differsIn(columns []string) bool {
	return !t.Inherited && slices.ContainsFunc(append(slices.Clone(t.Unique), t.PrimaryKey), func(set []string) bool {
		return len(set) > 0 && !slices.ContainsFunc(set, func(name string) bool { return !slices.Contains(columns, name) })
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
		same := !rel.Many && rel.To.Name == d.served(w.to.dataset) && len(rel.On) == len(w.columns())
		for _, p := range rel.On {
			i := slices.Index(w.columns(), ds.Bindings[d.source.Name].Columns[p.From.Name].Name)
			same = same && i >= 0 && w.there()[i] == rel.To.Bindings[d.source.Name].Columns[p.To.Name].Name
		}
		if same {
			return rel
		}
	}
	return nil
}
