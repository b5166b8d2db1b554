package setup

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
)

// unseen is a reference to a table of which the account may read nothing.
type unseen struct {
	key     catalog.ForeignKey
	columns []string // of the table
}

func (d *Draft) unseen(t *table) []unseen {
	var out []unseen
	for _, fk := range t.ForeignKeys {
		for _, u := range d.unread {
			if u.All() && u.Schema == cmp.Or(fk.RefSchema, t.Schema) && u.Table == fk.RefTable {
				out = append(out, unseen{key: fk, columns: u.Columns})
			}
		}
	}
	return out
}

// unseenOwners are the references to rows of tenants of which the account may read nothing.
func (t *table) unseenOwners(column string) []*through {
	var out []*through
	for _, u := range t.unseen {
		if slices.Contains(u.columns, column) {
			to := &table{Table: catalog.Table{Schema: cmp.Or(u.key.RefSchema, t.Schema), Name: u.key.RefTable}}
			out = append(out, &through{key: u.key, to: to, blind: true})
		}
	}
	return out
}

// leadsUnseen names the tables that a table references and of which nothing is known, those first that have the tenant
// column; empty if there are none.
func (t *table) leadsUnseen(tables []*table, column string) string {
	by := make(map[string][]string)
	var names, owners []string
	unread := true
	for _, fk := range t.ForeignKeys {
		if find(tables, fk.RefSchema, fk.RefTable, t.Schema) != nil {
			continue
		}
		name := strings.TrimPrefix(fk.RefSchema+"."+fk.RefTable, ".")
		known := slices.IndexFunc(t.unseen, func(u unseen) bool { return u.key.RefSchema == fk.RefSchema && u.key.RefTable == fk.RefTable })
		unread = unread && (known >= 0 || slices.ContainsFunc(tables, func(other *table) bool { return other.Schema == fk.RefSchema }))
		if by[name] == nil {
			names = append(names, name)
			if known >= 0 && slices.Contains(t.unseen[known].columns, column) {
				owners = append(owners, name)
			}
		}
		by[name] = append(by[name], fk.Columns...)
	}
	why := "which is in another schema than those that were looked into (--schema), or which the account may not read"
	if unread {
		why = "which the account may not read"
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0] + ", " + why
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Compare(min(slices.Index(owners, b), 0), min(slices.Index(owners, a), 0))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s (by %s)", name, strings.Join(by[name], ", "))
	}
	out := strings.Join(names, " and ") + ", " + strings.Replace(why, "which is", "which are", 1)
	if len(owners) > 0 {
		out += fmt.Sprintf("; the column %s is in %s", column, strings.Join(owners, " and "))
	}
	return out
}

// Account is whose rights do not suffice to read all there is; empty where they do.
func (d *Draft) Account() string {
	if len(d.unread) == 0 {
		return ""
	}
	return d.unread[0].Account
}

// Unread names what there is that the account may not read: tables, and columns of others behind these.
func (d *Draft) Unread() []string {
	var out []string
	for _, u := range d.unread {
		if name := d.named(u); u.All() {
			out = append(out, name)
		} else {
			out = append(out, fmt.Sprintf("%s (%s)", name, strings.Join(u.Columns, ", ")))
		}
	}
	return out
}

// Grants are the statements by which the account may read what it may not; schemas come first.
func (d *Draft) Grants() []string {
	var use, read []string
	for _, u := range d.unread {
		of := u.Grants()
		if u.Closed {
			use, of = append(use, of[0]), of[1:]
		}
		read = append(read, of...)
	}
	return append(slices.Compact(use), read...) // they are in order
}

func (d *Draft) named(u catalog.Unreadable) string {
	return d.called(&table{Table: catalog.Table{Schema: u.Schema, Name: u.Table}})
}

// besides adds to an error what could not be looked at.
func (d *Draft) besides(err error) error {
	seen := d.Unread()
	if len(seen) == 0 {
		return err
	}
	if more := len(seen) - maxSeen; more > 0 {
		seen = append(seen[:maxSeen], fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%w. The account %s may not read all there is: it lacks %s", err, d.Account(), strings.Join(seen, ", "))
}

// notRead writes what the account may not read of what there is.
func (d *Draft) notRead(out *bytes.Buffer) {
	if len(d.unread) == 0 {
		return
	}
	fmt.Fprintf(out, "  # What follows is there as well, and the account %s may not read it. What of it is to be served takes the statement\n  # here; then add it above, or make this file anew.\n  #\n", oneLine(d.Account()))
	for _, statement := range d.Grants() {
		fmt.Fprintf(out, "  #   %s\n", oneLine(statement))
	}
	out.WriteByte('\n')
}
