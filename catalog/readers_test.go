package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"usher/catalog"
	"usher/plan/plantest"
	"usher/value"
)

// The datasets that are read from a table of another one are its readers, by whichever
// binding, and of those it is told where a row may be another tenant's.
func TestReaders(t *testing.T) {
	t.Parallel()
	cat := plantest.Catalog(t, `
sources:
  shop: {kind: postgres, host: db, database: shop, user: u}
  silo: {kind: postgres, host: db, database: silo, user: u, template: true}
  files: {kind: duckdb, files: {new: a.parquet, old: a.parquet, other: b.parquet}}
  crm: {kind: api, base_url: "https://crm.example", isolation: upstream, headers: {X-Tenant: "{tenant}"}}
strategies:
  shared: {kind: shared, source: shop}
  own: {kind: database, source: silo}
default_strategy: shared
tenants: {acme: {bind: {extra: {source: shop, table: acme.other, columns: {tenant: ~}}}}}
datasets:
  notes: {tenant: tenant, columns: {tenant: String!}, bind: {silo: {columns: {tenant: ~}}}}
  again: {tenant: tenant, columns: {tenant: String!}, bind: {shop: {table: public.notes}, silo: {table: notes_again}}}
  renamed: {tenant: owner, columns: {owner: String!}, bind: {shop: {table: notes, columns: {owner: tenant}}, silo: {table: notes_renamed}}}
  written: {tenant: author, columns: {author: String!}, bind: {shop: {table: notes}, silo: {table: notes_written}}}
  everybodys: {common: true, source: shop, columns: {name: String}, bind: {shop: {table: notes}}}
  alone: {tenant: author, columns: {author: String!}, bind: {silo: {table: notes, columns: {author: ~}}}}
  other: {tenant: tenant, columns: {tenant: String!}}
  extra: {tenant: tenant, columns: {tenant: String!}}
  new: {common: true, source: files, columns: {name: String}}
  old: {common: true, source: files, columns: {name: String}}
  b: {common: true, source: files, columns: {name: String}, bind: {files: {table: other}}}
  leads: {common: true, source: crm, columns: {name: String}, bind: {crm: {path: /leads}}}
  all_leads: {common: true, source: crm, columns: {name: String}, bind: {crm: {path: /leads}}}
`, nil)
	for name, want := range map[string]string{
		"notes":   "notes again alone everybodys! renamed written!",
		"written": "written again! everybodys! notes! renamed!",
		"alone":   "alone notes",
		"other":   "other extra",
		"new":     "new old!", "b": "b", "leads": "leads all_leads!",
		"unknown": "unknown", "": "",
	} {
		var names []string
		for _, r := range cat.Readers(name) {
			names = append(names, r.Dataset+map[bool]string{true: "!"}[r.Apart])
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s is read by %s, not %s", name, got, want)
		}
	}
}

// What a part of a table holds is the whole's too.
func TestReadersOfParts(t *testing.T) {
	t.Parallel()
	part := catalog.Table{Kind: catalog.OrdinaryTable, Columns: []catalog.TableColumn{{Name: "tenant", Native: "text", Type: value.Of(value.String), Supported: true}}}
	whole := part
	whole.Parts, whole.Members = true, []string{catalog.TableKey("public", "notes"), catalog.TableKey("old", "notes_2025")}
	cat := plantest.Catalog(t, `
sources: {shop: {kind: postgres, host: db, database: shop, user: u}}
strategies: {shared: {kind: shared, source: shop}}
datasets:
  notes: {tenant: tenant, columns: {tenant: String!}}
  past: {tenant: tenant, columns: {tenant: String!}, bind: {shop: {table: old.notes_2025}}}
`, catalog.Introspected{"shop": {"public.notes": whole, "old.notes_2025": part}})
	for name, other := range map[string]string{"notes": "past", "past": "notes"} {
		if got, want := cat.Readers(name), []catalog.Reader{{Dataset: name}, {Dataset: other}}; !slices.Equal(got, want) {
			t.Errorf("%s is read by %v", name, got)
		}
	}
}
