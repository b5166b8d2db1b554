package setup

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
)

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
