package schema_test

import (
	"slices"
	"strings"
	"testing"

	"usher/catalog"
	"usher/principal"
	"usher/schema"
)

// calls are the fields of a type with their arguments, a line each.
func calls(s *schema.Schema, of string) string {
	var b strings.Builder
	for _, f := range s.AST.Types[of].Fields {
		var args []string
		for _, a := range f.Arguments {
			args = append(args, a.Name+": "+a.Type.String())
		}
		if len(args) > 0 {
			b.WriteString(f.Name + "(" + strings.Join(args, ", ") + "): " + f.Type.String() + "\n")
		}
	}
	return b.String()
}

// What somebody writes follows from who they are: whoever is of all tenants names one, and who sees
// deleted rows asks for them and restores them.
func TestWhatWritersSee(t *testing.T) {
	t.Parallel()
	cat := compile(t, map[string]catalog.DatasetSpec{
		"notes": {
			Tenant: catalog.TenancySpec{Column: "tenant_id"}, Key: catalog.Names{"tenant_id", "id"}, Writable: catalog.Operations{"insert", "update", "delete"},
			Deleted: catalog.DeletedSpec{At: "gone_at"}, Columns: columns("id", "Int!", "tenant_id", "String!", "text", "String", "gone_at", "Timestamp"),
		},
		"tags": { // whose key is called like the argument
			Tenant: catalog.TenancySpec{Column: "tenant_id"}, Key: catalog.Names{"tenant_id", "tenant"}, Writable: catalog.Operations{"update"},
			Columns: columns("tenant", "Int!", "tenant_id", "String!", "text", "String"),
		},
		"words": {Common: true, Source: "main", Key: catalog.Names{"id"}, Writable: catalog.Operations{"insert"}, GlobalKeys: true, Columns: columns("id", "Int!")},
	}, map[string]catalog.RoleSpec{
		"user":   {Datasets: map[string]catalog.RightSpec{"notes": {Insert: &catalog.InsertSpec{}, Update: &catalog.UpdateSpec{}, Delete: &catalog.DeleteSpec{}}, "tags": {Update: &catalog.UpdateSpec{}}, "words": {Insert: &catalog.InsertSpec{}}}},
		"keeper": {Datasets: map[string]catalog.RightSpec{"notes": {Update: &catalog.UpdateSpec{}, IncludeDeleted: true}}},
	})
	b := builder(t)
	built := func(all bool, roles ...string) *schema.Schema {
		p := principal.Principal{Tenant: "acme", TenantKey: "acme", Roles: roles, Scopes: []principal.Scope{principal.ReadData, principal.WriteData}}
		if all {
			p.Tenant, p.TenantKey, p.AllTenants = "", "", true
		}
		view, err := cat.View(p)
		if err != nil {
			t.Fatal(err)
		}
		s, err := b.Build(view, schema.Holder|schema.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, c := range map[string]struct {
		of   *schema.Schema
		typ  string
		want []string
	}{
		"a tenant": {built(false, "user"), "Mutation", []string{
			"insertNotes(rows: [NotesInsert!]!, onConflict: NotesOnConflict): NotesChange", "insertNotesOne(row: NotesInsert!): Notes",
			"updateNotes(where: NotesWhere, all: Boolean, set: NotesSet, limit: Int): NotesChange", "updateNotesByPk(id: Int!, set: NotesSet): Notes",
			"deleteNotes(where: NotesWhere, all: Boolean, limit: Int): NotesChange", "deleteNotesByPk(id: Int!): Notes",
			"updateTags(where: TagsWhere, all: Boolean, set: TagsSet, limit: Int): TagsChange", "updateTagsByPk(tenant: Int!, set: TagsSet): Tags",
		}},
		"all tenants": {built(true, "user"), "Mutation", []string{
			"insertNotes(tenant: String!, rows: [NotesInsert!]!, onConflict: NotesOnConflict): NotesChange", "insertNotesOne(tenant: String!, row: NotesInsert!): Notes",
			"updateNotes(tenant: String, where: NotesWhere, all: Boolean, set: NotesSet, limit: Int): NotesChange", "updateNotesByPk(tenant: String!, id: Int!, set: NotesSet): Notes",
			"deleteNotes(tenant: String, where: NotesWhere, all: Boolean, limit: Int): NotesChange", "deleteNotesByPk(tenant: String!, id: Int!): Notes",
			"updateTags(tenant: String, where: TagsWhere, all: Boolean, set: TagsSet, limit: Int): TagsChange",
			"insertWords(rows: [WordsInsert!]!): WordsChange", "insertWordsOne(row: WordsInsert!): Words",
		}},
		"a tenant's questions": {built(false, "user"), "Query", []string{
			"notes(where: NotesWhere, orderBy: [NotesOrderBy!], limit: Int, offset: Int): [Notes!]", "notesByPk(id: Int!): Notes",
			"notesConnection(where: NotesWhere, orderBy: [NotesOrderBy!], first: Int, after: String, last: Int, before: String): NotesConnection",
		}},
		"a keeper's questions": {built(false, "keeper"), "Query", []string{
			"notes(where: NotesWhere, orderBy: [NotesOrderBy!], limit: Int, offset: Int, includeDeleted: Boolean): [Notes!]", "notesByPk(id: Int!, includeDeleted: Boolean): Notes",
			"notesConnection(where: NotesWhere, orderBy: [NotesOrderBy!], first: Int, after: String, last: Int, before: String, includeDeleted: Boolean): NotesConnection",
		}},
	} {
		got := strings.Split(strings.TrimSpace(calls(c.of, c.typ)), "\n")
		got = slices.DeleteFunc(got, func(line string) bool {
			return c.typ == "Query" && !strings.HasPrefix(line, "notes") || strings.HasPrefix(line, "dataset")
		})
		if c.typ == "Mutation" {
			got = slices.DeleteFunc(got, func(line string) bool { return !strings.Contains(line, "Notes") && !strings.Contains(line, "Tags") && !strings.Contains(line, "Words") })
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: there is\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	if set := built(false, "user").AST.Types["NotesSet"]; set.Fields.ForName("gone_at") != nil {
		t.Error("who does not see deleted rows restores them")
	}
	if set := built(false, "keeper").AST.Types["NotesSet"]; set.Fields.ForName("gone_at") == nil {
		t.Error("who sees deleted rows and updates them restores none")
	}
	if columns := built(false, "user", "keeper").AST.Types["NotesSetColumn"]; columns.EnumValues.ForName("gone_at") != nil || columns.EnumValues.ForName("text") == nil {
		t.Error("an upsert restores rows")
	}
}
