package sqlgen

import (
	"strconv"
	"strings"

	"usher/plan"
	"usher/value"
)

// Script is one statement that answers several levels at once: those of a
// tree, each nested one joined to its parent's rows, or the roots of several
// queries that read the same rows. Its rows are those of all parts, part by
// part and in order. The first cell is the number of the part, the second the
// number of the parent's row, counted from 1, or 0; the third is for the order
// alone.
type Script struct {
	Text  string
	Args  Args
	Parts []Part
}

// Leading is how many cells of a script's row come before those of a part.
const Leading = 3

// Part is one level of a script.
type Part struct {
	Level  plan.Level
	Parent int   // the part whose rows its rows hang in, or -1
	Cells  []int // for each of the level's columns the cell of a row
}

// baseTable is what the levels of several queries read together.
const baseTable = "base"

// part is a Part being written.
type part struct {
	level  plan.Level
	number int
	parent *part // nil: a root
	child  int   // which of its parent's children it is
	kept   bool
}

func (p *part) table() string { return "p" + strconv.Itoa(p.number) }

// id is the column that tells a part's rows apart, for those that hang in them. The
// place of a root's row does.
func (p *part) id() string {
	if p.parent == nil {
		return "rn"
	}
	return "id"
}

// linkKey is the column of a part that holds a child's key.
func linkKey(child, link int) string { return "l" + strconv.Itoa(child) + "_" + strconv.Itoa(link) }

// Together writes a tree of levels as one statement. Its snapshot is that of
// every statement, and it takes one way to the source and back.
func Together(root plan.Level, d Dialect) (Script, error) {
	if root.Refs() == 0 {
		return Script{}, ErrNotPlanned
	}
	s := &script{d: d}
	s.add(root, nil, 0)
	return s.write()
}

// SharedScan writes the roots of several queries as one statement that reads the
// rows they have in common once.
func SharedScan(t plan.SharedScan, d Dialect) (Script, error) {
	base := t.Base()
	if base.Refs() == 0 {
		return Script{}, ErrNotPlanned
	}
	s := &script{d: d, base: &base}
	for i := range t.Len() {
		s.add(t.Level(i), nil, 0)
	}
	return s.write()
}

type script struct {
	d     Dialect
	base  *plan.Level
	parts []*part
	args  arguments
	err   error
}

func (s *script) add(l plan.Level, parent *part, child int) {
	p := &part{level: l, number: len(s.parts), parent: parent, child: child, kept: l.Children() > 0}
	s.parts = append(s.parts, p)
	for i := range l.Children() {
		s.add(l.Child(i), p, i)
	}
	if total, ok := l.Total(); ok {
		s.add(total, nil, 0)
	}
}

// write puts parts that others hang in, and the rows read in common, in front,
// each computed once.
func (s *script) write() (Script, error) {
	var with, from []string
	if s.base != nil {
		with = append(with, baseTable+s.d.Materialized()+s.one(*s.base, (*writer).shared)+")")
	}
	for _, p := range s.parts {
		text := s.part(p)
		if p.kept {
			with = append(with, p.table()+s.d.Materialized()+text+")")
			from = append(from, p.table())
		} else {
			from = append(from, "("+text+") AS "+p.table())
		}
	}
	out := Script{Parts: make([]Part, len(s.parts))}
	types, cells := s.cells()
	var b strings.Builder
	for i, text := range with {
		if i == 0 {
			b.WriteString("WITH ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(text)
	}
	if len(with) > 0 {
		b.WriteByte(' ')
	}
	for i, p := range s.parts {
		if i > 0 {
			b.WriteString(" UNION ALL ")
		}
		b.WriteString("SELECT " + strconv.Itoa(i) + ", n, rn")
		taken := make([]int, len(types)) // 1 + the column
		for c, cell := range cells[i] {
			taken[cell-Leading] = c + 1
		}
		for j, c := range taken {
			if c > 0 {
				b.WriteString(", c" + strconv.Itoa(c-1))
			} else {
				b.WriteString(", CAST(NULL AS " + types[j] + ")")
			}
		}
		b.WriteString(" FROM " + from[i])
		out.Parts[i] = Part{Level: p.level, Parent: -1, Cells: cells[i]}
		if p.parent != nil {
			out.Parts[i].Parent = p.parent.number
		}
	}
	b.WriteString(" ORDER BY 1, 2, 3")
	out.Text, out.Args = b.String(), s.args.Args
	return out, s.err
}

// cells gives every column of every part a place of its type in the rows they
// share.
func (s *script) cells() (types []string, cells [][]int) {
	cells = make([][]int, len(s.parts))
	for i, p := range s.parts {
		used := make([]bool, len(types))
		for c := range max(p.level.Columns(), 1) {
			typ := s.d.InternalType(value.Of(value.Boolean)) // of a level without columns
			if p.level.Columns() > 0 {
				typ = s.d.InternalType(p.level.Column(c).Type())
			}
			at := 0
			for at < len(types) && (types[at] != typ || used[at]) {
				at++
			}
			if at == len(types) {
				types, used = append(types, typ), append(used, false)
			}
			used[at] = true
			cells[i] = append(cells[i], at+Leading)
		}
	}
	return types, cells
}

func (s *script) part(p *part) string {
	return s.one(p.level, func(w *writer) {
		w.part = p
		w.level()
	})
}

// one writes a level; all share their arguments.
func (s *script) one(l plan.Level, how func(*writer)) string {
	w := &writer{d: s.d, l: l, args: &s.args}
	how(w)
	if s.err == nil {
		s.err = w.err
	}
	return w.b.String()
}

// shared writes the rows that several queries read.
func (w *writer) shared() {
	w.put("SELECT * FROM ")
	w.reference(0)
	w.condition(" WHERE ", w.l.Where())
}

// linkKeys writes the keys that a part's children hang on.
func (w *writer) linkKeys() {
	if w.part == nil {
		return
	}
	for i := range w.l.Children() {
		child := w.l.Child(i)
		for j := range child.Links() {
			link := child.Link(j)
			w.put(", ", w.d.Key(w.lenient(w.l.Column(link.Cell())), link.Type()), " AS ", linkKey(i, j))
		}
	}
}

func (w *writer) linkNames() {
	if w.part == nil {
		return
	}
	for i := range w.l.Children() {
		for j := range w.l.Child(i).Links() {
			w.put(", ", linkKey(i, j))
		}
	}
}

// parents writes the rows of the parent; all of them, or those that have a key.
func (p *part) parents(w *writer, all bool) {
	w.put("(SELECT ", p.parent.id(), " AS n")
	for j := range w.l.Links() {
		w.put(", ", linkKey(p.child, j), " AS k", strconv.Itoa(j))
	}
	w.put(" FROM ", p.parent.table())
	for j := range w.l.Links() {
		if all {
			break
		}
		if j == 0 {
			w.put(" WHERE ")
		} else {
			w.put(" AND ")
		}
		w.put(linkKey(p.child, j), " IS NOT NULL")
	}
	w.put(") AS p")
}
