package catalog

import (
	"maps"
	"strings"
)

// The names of a template may hold {tenant}: then the tenant's id says where
// its rows are. Ids have a strict form (principal.CheckTenantID), so nothing in them can leave
// the name's place.

func named(text, tenant string) string { return strings.ReplaceAll(text, "{tenant}", tenant) }

func names(text string) bool { return strings.Contains(text, "{tenant}") }

// ForTenant is the server as one tenant's names have it.
func (s PostgresSpec) ForTenant(tenant string) PostgresSpec {
	s.Database, s.Schema, s.User = named(s.Database, tenant), named(s.Schema, tenant), named(s.User, tenant)
	return s
}

// ForTenant is the file, or the files, as one tenant's names have it.
func (s DuckDBSpec) ForTenant(tenant string) DuckDBSpec {
	s.Path, s.Files = named(s.Path, tenant), maps.Clone(s.Files)
	for table, path := range s.Files {
		s.Files[table] = named(path, tenant)
	}
	return s
}

// ForTenant is the schema as one tenant's names have it.
func (b *Binding) ForTenant(tenant string) string { return named(b.Schema, tenant) }

// NamesTenant tells whether a template's names alone lead to the tenant's own
// rows of a dataset.
func (s *Source) NamesTenant(b *Binding) bool {
	return names(s.Postgres.Database) || names(s.Postgres.User) || names(s.DuckDB.Path) || names(s.DuckDB.Files[b.Table]) || names(b.Schema)
}
