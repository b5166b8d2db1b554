package catalog

import (
	"cmp"
	"maps"
	"slices"
)

// Cell is one of the databases that a shared source consists of: each holds the
// rows of many tenants, and a tenant's record says which.
type Cell struct {
	Host     string // or several, as ServersText writes them
	Port     int
	Database string
	User     string
	Password string
}

// Cell returns the source as it is in one of its cells.
func (s PostgresSpec) Cell(name string) (PostgresSpec, bool) {
	c, ok := s.Cells[name]
	s.Host, s.Port, s.Database, s.User, s.Password = c.Host, c.Port, c.Database, c.User, c.Password
	return s, ok
}

// InCell is the source as if a cell were all of it.
func (s *Source) InCell(name string) *Source {
	out := *s
	out.Postgres, _ = s.Postgres.Cell(name)
	out.Postgres.Cells = nil
	return &out
}

// CellAt is the name of the cell that is at a place, if there is one.
func (s PostgresSpec) CellAt(host string, port int, database string) string {
	for _, name := range slices.Sorted(maps.Keys(s.Cells)) {
		if c := s.Cells[name]; c.Host == host && c.Port == port && c.Database == database {
			return name
		}
	}
	return ""
}

// Places are the source as it is itself, if it is anywhere, and in each of its cells, by name.
func (s PostgresSpec) Places() []PostgresSpec {
	var out []PostgresSpec
	if s.Host != "" {
		out = append(out, s)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Cells)) {
		c, _ := s.Cell(name)
		out = append(out, c)
	}
	return out
}

// WritingAt is the first place with the account by which rows are written there, and whether
// that is another one than the account that reads: a cell's account writes itself.
func (s PostgresSpec) WritingAt() (place PostgresSpec, other bool) {
	place = s.Places()[0]
	if s.Writer.User == "" || place.User != s.User || place.Password != s.Password {
		return place, false
	}
	place.User, place.Password = s.Writer.User, s.Writer.Password
	return place, true
}

// Cells are the names of the cells of all sources.
func (c *Catalog) Cells() []string {
	names := make(map[string]bool)
	for _, s := range c.Sources {
		for name := range s.Postgres.Cells {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// cells reads the cells of a source. What one does not say is the source's.
func cells(at place, spec SourceSpec, own PostgresSpec) map[string]Cell {
	if len(spec.Cells) == 0 {
		return nil
	}
	if spec.Template {
		at.problem("a template is another database for each tenant; leave out `template` or the cells")
	}
	out := make(map[string]Cell, len(spec.Cells))
	for _, name := range slices.Sorted(maps.Keys(spec.Cells)) {
		s, at := spec.Cells[name], at.in(name)
		if bad := badPlain(name); bad != "" {
			at.problem("%s", bad)
		}
		c := Cell{
			Host: s.Host, Port: cmp.Or(s.Port, own.Port), Database: cmp.Or(s.Database, own.Database),
			User: cmp.Or(s.User, own.User), Password: cmp.Or(string(s.Password), own.Password),
		}
		switch {
		case len(s.Hosts) > 0 && s.Host != "":
			at.in("hosts").problem("name the servers already; leave out `host`")
		case len(s.Hosts) > 0:
			c.Host, c.Port = serversOf(at.in("hosts"), s.Hosts, c.Port)
		default:
			c.Host, c.Port = serversOf(at, []HostSpec{{Host: s.Host, Port: s.Port}}, c.Port)
		}
		if c.Port < 1 || c.Port > 65535 {
			at.in("port").problem("must be from 1 to 65535")
		}
		if c.Database == "" {
			at.problem("has no database, and the source neither")
		}
		if c.User == "" {
			at.problem("has no user, and the source neither")
		}
		out[name] = c
	}
	return out
}
