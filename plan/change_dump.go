package plan

import (
	"fmt"
	"strings"
)

// DumpChange is a change as text for people: what is written, and the levels by which it
// is confined and checked. It holds every value.
func DumpChange(c Change) string {
	if !c.Valid() {
		return "no plan\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", c.body.kind, c.body.table.text())
	if c.body.snapshot {
		b.WriteString(", in a snapshot")
	}
	b.WriteByte('\n')
	level := func(name string, l Level) {
		if len(l.refs) > 0 {
			fmt.Fprintf(&b, "%s\n", name)
			l.dump(&b, "  ")
		}
	}
	for _, r := range c.body.refs {
		for i := range r.rows {
			fmt.Fprintf(&b, "leads to")
			for _, values := range r.values {
				fmt.Fprintf(&b, " %q", values[i].Text())
			}
			fmt.Fprintf(&b, ", or %v\n", r.refuse(i))
		}
		how := "which is read"
		if r.locks {
			how = "which is locked"
		}
		level(how, r.level)
		level("by itself", r.lock)
		for _, up := range r.above {
			level("below", up.level)
		}
	}
	for _, list := range []struct {
		word    string
		changes []Change
	}{{"before", c.body.before}, {"after", c.body.after}} {
		for _, nested := range list.changes {
			b.WriteString(list.word + " " + strings.ReplaceAll(strings.TrimSuffix(DumpChange(nested), "\n"), "\n", "\n  | ") + "\n")
		}
	}
	for _, i := range c.body.inserts {
		fmt.Fprintf(&b, "rows %v\n", i.rows)
		for n, f := range i.columns {
			word := "  %s ="
			if n < i.stamps {
				word = "  %s is"
			}
			fmt.Fprintf(&b, word, f.Stored)
			for row := range i.values[n].len() {
				b.WriteString(" " + i.values[n].at(row).text())
			}
			b.WriteByte('\n')
		}
	}
	for i, s := range c.body.upsert.sets {
		word := "or set %s = %s\n"
		if s.add {
			word = "or set %s += %s\n"
		}
		text := s.value.text()
		if c.body.upsert.own[i] {
			text = "what was to be inserted"
		}
		fmt.Fprintf(&b, word, s.column.Stored, text)
	}
	level("of these", c.body.upsert.level)
	for _, l := range c.body.upsert.held {
		level("held before", l)
	}
	level("chosen", c.body.chosen)
	level("locked", c.body.locked)
	for _, up := range c.body.above {
		level("below", up.level)
	}
	for _, l := range c.body.held {
		level("held", l)
	}
	for _, s := range c.body.update.sets {
		word := "set %s = %s\n"
		if s.add {
			word = "set %s += %s\n"
		}
		fmt.Fprintf(&b, word, s.column.Stored, s.value.text())
	}
	level("written", c.body.update.level)
	for _, k := range c.body.keepers {
		fmt.Fprintf(&b, "kept by, or %v\n", k.refusal)
		level("kept by", k.level)
	}
	for _, dependent := range c.body.dependents {
		b.WriteString("first " + strings.ReplaceAll(strings.TrimSuffix(DumpChange(dependent), "\n"), "\n", "\n  | ") + "\n")
	}
	for _, k := range c.body.leftovers {
		fmt.Fprintf(&b, "none left, or %v\n", k.refusal)
		level("none left", k.level)
	}
	level("removed", c.body.remove)
	for _, check := range c.body.checks {
		for i, err := range check.refuse {
			fmt.Fprintf(&b, "c%d or %v\n", i, err)
		}
		level("checked", check.level)
	}
	for _, q := range c.body.answers {
		level("answered", q.body.root)
	}
	return b.String()
}

func (g Given) text() string {
	if g.Null() {
		return "null"
	}
	if g.from != nil {
		return fmt.Sprintf("of %d row %d c%d", g.from.of, g.from.row, g.from.cell)
	}
	if !g.list {
		return fmt.Sprintf("%q", g.value.Text())
	}
	items := make([]string, len(g.items))
	for i, item := range g.items {
		items[i] = Given{value: item}.text()
	}
	return "[" + strings.Join(items, " ") + "]"
}
