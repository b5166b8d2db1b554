package sqlgen

import "usher/plan"

// What a statement returns of rows that it has written is read by levels as if it were a reference of
// theirs: each stored column once, then each field as its form is read, with a mark for each level that
// tells whether the row is within its scope.

// returned are the stored columns that levels read of rows that were changed.
func (w *writer) returned(levels []plan.Level) {
	seen := make(map[string]bool)
	for _, l := range levels {
		r := l.Ref(0)
		for i := range r.Fields() {
			if stored := r.Field(i).Stored; !seen[stored] {
				if len(seen) > 0 {
					w.put(", ")
				}
				seen[stored] = true
				w.put(changed, ".", Identifier(stored))
			}
		}
	}
	if len(seen) == 0 {
		w.put("TRUE")
	}
}

// markedFields writes a level's mark and the fields that it reads, but those that others have read.
func (w *writer) markedFields(mark string, seen map[string]bool) string {
	text := w.confined() + " AS " + Identifier(mark)
	r := w.l.Ref(0)
	for n := range r.Fields() {
		f := r.Field(n)
		if seen[f.Name] {
			continue
		}
		seen[f.Name] = true
		read := table(0) + "." + Identifier(f.Stored)
		if !atUse(f) {
			read = w.d.Read(read, f)
		}
		text += ", " + read + " AS " + Identifier(f.Name)
	}
	return text
}

// holds tells that a marked row is one of the level's.
func (w *writer) holds(mark string) string {
	is := table(0) + "." + Identifier(mark)
	if where := w.l.Where(); where.Op() != plan.True {
		is += " AND " + w.expr(where)
	}
	return is
}
