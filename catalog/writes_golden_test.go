package catalog_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"usher/catalog"
)

// writes dumps what may be written of a dataset, and what its tables are to whoever
// writes.
func writes(b *strings.Builder, d *catalog.Dataset) {
	if d.Deleted != nil {
		fmt.Fprintf(b, "  deleted at=%s", d.Deleted.At.Name)
		if d.Deleted.By != nil {
			fmt.Fprintf(b, " by=%s", d.Deleted.By.Name)
		}
		fmt.Fprintf(b, " filter=%s\n", queryText(d.Deleted.Filter))
	}
	w := d.Writes
	if w == nil {
		return
	}
	fmt.Fprintf(b, "  writes insert=%t update=%t delete=%t global_keys=%t", w.Insert, w.Update, w.Delete, w.GlobalKeys)
	if w.Version != nil {
		fmt.Fprintf(b, " version=%s", w.Version.Name)
	}
	for _, k := range w.Keys {
		fmt.Fprintf(b, " upsert=%s%v", k.Name, names(k.Columns))
	}
	fmt.Fprintf(b, "%s%s\n", presetText(" insert", w.InsertPresets), presetText(" update", w.UpdatePresets))
	for _, source := range slices.Sorted(maps.Keys(d.Bindings)) {
		if bind := d.Bindings[source]; d.WritableIn(bind) {
			target(b, source, bind.Target)
			calls(b, bind.Writes)
		}
	}
	for _, tenant := range slices.Sorted(maps.Keys(d.Own)) {
		if own := d.Own[tenant]; d.WritableIn(&own.Binding) {
			target(b, own.Source+" of "+tenant, own.Target)
		}
	}
}

func presetText(what string, presets []catalog.Preset) string {
	var b strings.Builder
	for _, p := range presets {
		fmt.Fprintf(&b, "%s %s=%s", what, p.Column.Name, queryText(p.Value))
	}
	return b.String()
}

func target(b *strings.Builder, source string, t *catalog.Target) {
	fmt.Fprintf(b, "    written in %s triggers=%t unsure=%t\n", source, t.Triggers, t.Unsure)
	for _, k := range t.Keys {
		fmt.Fprintf(b, "      key %q %v tenant=%t", k.Name, names(k.Columns), k.Tenant)
		for i, is := range []bool{k.Partial, k.Exclusion, k.Deferrable, k.Made, k.Declared} {
			if is {
				b.WriteString([]string{" partial", " exclusion", " deferrable", " made", " declared"}[i])
			}
		}
		fmt.Fprintln(b)
	}
	for _, list := range []struct {
		what string
		refs []*catalog.Reference
	}{{"refers to", t.References}, {"referred to by", t.Referrers}} {
		for _, r := range list.refs {
			name := "nothing served"
			if r.Dataset != nil {
				name = r.Dataset.Name
			}
			fmt.Fprintf(b, "      %s %s %v=%v tenant=%t parent=%t on delete %q on update %q\n", list.what, name, names(r.Columns), names(r.Others), r.Tenant, r.Parent, r.OnDelete, r.OnUpdate)
		}
	}
}

func grants(b *strings.Builder, r *catalog.Right) {
	for _, g := range []struct {
		what  string
		grant *catalog.WriteGrant
	}{{"insert", r.Insert}, {"update", r.Update}, {"delete", r.Delete}} {
		if g.grant != nil {
			fmt.Fprintf(b, "  may %s columns=%v filter=%s check=%s%s\n", g.what, slices.Sorted(maps.Keys(g.grant.Columns)), queryText(g.grant.Filter), queryText(g.grant.Check),
				presetText(" preset", g.grant.Presets))
		}
	}
	if r.IncludeDeleted {
		b.WriteString("  may see deleted\n")
	}
}

// writing reads what a case says of a table for writing: a line that begins with
// collides, referrer, triggers, rules or kind.
func writing(t *testing.T, table *catalog.Table, what string, words []string) {
	t.Helper()
	switch what {
	case "triggers":
		table.Triggers = true
	case "rules":
		table.Rules = true
	case "kind":
		table.Kind = catalog.TableKind(strings.Join(words, " "))
	case "collides": // NAME flag… : columns
		by := catalog.CollidingBy{Name: words[0]}
		flags := true
		for _, word := range words[1:] {
			switch {
			case word == ":":
				flags = false
			case !flags:
				by.Columns = append(by.Columns, word)
			default:
				*map[string]*bool{
					"constraint": &by.Constraint, "expression": &by.Expression, "partial": &by.Partial, "exclusion": &by.Exclusion, "deferrable": &by.Deferrable,
				}[word] = true
			}
		}
		table.Colliding = append(table.Colliding, by)
	case "referrer": // schema.table columns -> columns : delete action, update action
		at := slices.Index(words, "->")
		end := slices.Index(words, ":")
		schema, name, _ := strings.Cut(words[0], ".")
		r := catalog.Referrer{Schema: schema, Table: name, Columns: words[1:at], RefColumns: words[at+1 : end]}
		for action := range strings.SplitSeq(strings.Join(words[end+1:], " "), ",") {
			on, does, _ := strings.Cut(strings.TrimSpace(action), " ")
			if on == "delete" {
				r.OnDelete = catalog.Action(does)
			} else {
				r.OnUpdate = catalog.Action(does)
			}
		}
		table.Referrers = append(table.Referrers, r)
	}
}

// made reads the words of a column about its default.
func made(tc *catalog.TableColumn, words []string) {
	for _, word := range words {
		switch word {
		case "default":
			tc.Default = catalog.ByDefault
		case "serial":
			tc.Default, tc.Made = catalog.ByDefault, catalog.Counted
		case "random":
			tc.Default, tc.Made = catalog.ByDefault, catalog.Random
		case "always":
			tc.Default, tc.Made = catalog.AlwaysOwn, catalog.Counted
		case "computed":
			tc.Default = catalog.Computed
		}
	}
}

// calls dumps the calls by which rows are written through an API.
func calls(b *strings.Builder, w *catalog.APIWrites) {
	if w == nil {
		return
	}
	for i, call := range []*catalog.WriteCall{w.Insert, w.Update, w.Delete} {
		if call == nil {
			continue
		}
		fmt.Fprintf(b, "      %s by %s %s", []string{"insert", "update", "delete"}[i], call.Method, call.Path)
		if call.Body != nil {
			fmt.Fprintf(b, " %s", queryText(call.Body))
		}
		fmt.Fprintln(b)
	}
	fmt.Fprintf(b, "      row=%q rowless=%t key=%q\n", w.Row, w.Rowless, w.IdempotencyKey)
}
