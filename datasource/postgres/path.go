package postgres

import (
	"slices"
	"strings"

	"github.com/lib/pq"
)

// Usher's own statements are read and planned with no schema to look names up in, so that nobody who
// may create things in a schema gives them another meaning. Triggers and functions of the
// database's owner are written for the path that their programs have, and would find
// nothing then. So a statement that writes is read and planned without a path, and executed with
// theirs: between the two the path is set, and after it taken back, all in one message.

// written is the portal of a statement that writes.
const written = "usher_write"

// pathOf is the text that sets the path for statements of the owner's own: what the catalog of
// the server holds is found first, and what a session left behind last. Empty: there is none.
func pathOf(schemas []string) string {
	var names []string
	for _, s := range schemas {
		if s != "" && s != "pg_catalog" && s != "pg_temp" && !slices.Contains(names, pq.QuoteIdentifier(s)) {
			names = append(names, pq.QuoteIdentifier(s))
		}
	}
	if names == nil {
		return ""
	}
	return "SET LOCAL search_path TO pg_catalog, " + strings.Join(names, ", ") + ", pg_temp"
}

// schemasIn reads a path as the server writes it; nil: it is none.
func schemasIn(path string) []string {
	var out []string
	for rest := strings.TrimSpace(path); rest != ""; {
		name := ""
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			for {
				part, after, ok := strings.Cut(quoted, `"`)
				if !ok {
					return nil
				}
				name += part
				if quoted, ok = strings.CutPrefix(after, `"`); !ok {
					rest = after
					break
				}
				name += `"`
			}
			rest = strings.TrimSpace(rest)
			if rest != "" && rest[0] != ',' {
				return nil
			}
		} else {
			name, rest, _ = strings.Cut(rest, ",")
			name, rest = strings.ToLower(strings.TrimSpace(name)), ","+rest
		}
		out = append(out, name)
		rest = strings.TrimSpace(strings.TrimPrefix(rest, ","))
	}
	return out
}

// resetPath takes the path back to that of usher's own statements.
func (p pooling) resetPath() string {
	if p.pooled() {
		return "SET LOCAL search_path TO pg_catalog, pg_temp"
	}
	return "SET LOCAL search_path TO ''"
}

// write sends a statement that writes: it is bound before the path is set.
func (c *conn) sendWriting(p *prepared, args []string) {
	c.wire.Bind(written, p.Name, args)
	c.wire.Parse("", c.path)
	c.wire.Execute("", nil)
	c.wire.Run(written, 0)
	c.wire.ClosePortal(written)
	if c.sealing == nil { // else the transaction ends here, and it with it
		c.wire.Parse("", c.pooling.resetPath())
		c.wire.Execute("", nil)
	}
}

// startedWriting reads up to its first row.
func (c *conn) startedWriting(p *prepared) error {
	err := c.wire.Bound(&p.Statement)
	if err == nil {
		err = c.wire.Completed(nil)
	}
	if err == nil {
		err = c.wire.Started(&p.Statement)
	}
	return err
}
