package sqlgen

import (
	"strconv"
	"strings"

	"usher/plan"
)

// Merged are the statements by which rows are inserted or, where they are there already,
// changed, for engines that cannot do that in one.
type Merged struct {
	There  Statement // returns the number of each row that is there, and its key
	Change Statement // changes those that may be changed
	Rest   Statement // inserts the others, and returns the key of each in their order
}

// Merge writes them. What is there already is found by a key that holds the tenant, of rows
// that are stamped with it.
func Merge(i plan.Insert, u plan.Upsert, d ChangeDialect) (Merged, error) {
	if !stamped(i) || u.Keys() == 0 || u.Sets() == 0 || u.Level().Refs() == 0 {
		return Merged{}, ErrNotPlanned
	}
	var out Merged
	var err error
	for _, one := range []struct {
		into  *Statement
		write func(w *writer, m merging)
	}{{&out.There, (*writer).there}, {&out.Change, (*writer).change}, {&out.Rest, (*writer).rest}} {
		w := &writer{d: d, l: u.Level(), args: &arguments{}}
		one.write(w, w.merging(i, u, d))
		*one.into = Statement{Text: w.b.String(), Args: w.args.Args}
		if err == nil {
			err = w.err
		}
	}
	return out, err
}

// merging is what the three statements have in common.
type merging struct {
	plan.Insert
	upsert plan.Upsert
	d      ChangeDialect
	names  []string
	rows   string         // those that are given, as v
	at     map[string]int // of columns
}

func (w *writer) merging(i plan.Insert, u plan.Upsert, d ChangeDialect) merging {
	names, values, texts := w.toInsert(i, d)
	m := merging{Insert: i, upsert: u, d: d, names: names, at: make(map[string]int)}
	for n := range values {
		values[n] += " AS " + merged(n)
		m.at[i.Column(n).Name] = n
	}
	m.rows = "(SELECT " + strings.Join(values, ", ") + ", i.n FROM " + texts + " AS i) AS v"
	return m
}

func merged(n int) string { return "v" + strconv.Itoa(n) }

// same tells that a row is the one that is given. A key that is not given is that of no
// row that is there.
func (m merging) same(table string) string {
	parts := make([]string, m.upsert.Keys())
	for i := range parts {
		key := m.upsert.Key(i)
		n, ok := m.at[key.Name]
		if !ok {
			return "FALSE"
		}
		parts[i] = table + "." + Identifier(key.Stored) + " = v." + merged(n)
	}
	return strings.Join(parts, " AND ")
}

func (w *writer) there(m merging) {
	w.put("SELECT v.n")
	for n := range m.Keys() {
		f := m.Key(n)
		w.put(", ", w.d.InternalText(w.d.Read(changed+"."+Identifier(f.Stored), f), f.Type))
	}
	w.put(" FROM ", m.rows, " JOIN ")
	w.into(m.Table())
	w.put(" ON ", m.same(changed), " ORDER BY v.n")
}

func (w *writer) change(m merging) {
	w.put("UPDATE ")
	w.into(m.Table())
	w.put(" SET ")
	for i := range m.upsert.Sets() {
		if i > 0 {
			w.put(", ")
		}
		s := m.upsert.Set(i)
		name := Identifier(s.Column().Stored)
		w.put(name, " = ")
		n, given := m.at[s.Column().Name]
		switch {
		case m.upsert.Inserted(i) && given:
			w.put("v.", merged(n))
		case m.upsert.Inserted(i):
			w.put("DEFAULT")
		case s.Added():
			w.put(changed, ".", name, " + ", w.given(s.Value(), s.Column(), m.d))
		default:
			w.put(w.given(s.Value(), s.Column(), m.d))
		}
	}
	w.put(" FROM ", m.rows, " WHERE ", m.same(changed), " AND ")
	w.shown(m.upsert)
}

func (w *writer) rest(m merging) {
	values := make([]string, len(m.names))
	for n := range values {
		values[n] = "v." + merged(n)
	}
	w.put("INSERT INTO ")
	w.into(m.Table())
	w.put(" (", strings.Join(m.names, ", "), ") SELECT ", strings.Join(values, ", "), " FROM ", m.rows, " WHERE NOT EXISTS (SELECT 1 FROM ")
	w.into(m.Table())
	w.put(" WHERE ", m.same(changed), ") ORDER BY v.n")
	w.returning(m.Insert, anyRow)
}
