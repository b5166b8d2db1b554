package console_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The editor of roles knows the grammar that the configuration's schema has, but for what a tenant's own role cannot say.
func TestGrammarOfRoles(t *testing.T) {
	t.Parallel()
	var schema struct {
		Defs struct {
			Role map[string]any `json:"role"`
		} `json:"$defs"`
	}
	var grammar map[string]any
	for name, into := range map[string]any{"../config/usher.schema.json": &schema, "web/app/src/admin/role/grammar.json": &grammar} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	insert := schema.Defs.Role
	for _, name := range []string{"properties", "datasets", "additionalProperties", "properties", "insert", "properties"} {
		below, ok := insert[name].(map[string]any)
		if !ok {
			t.Fatalf("the schema has no %s where roles say what they insert", name)
		}
		insert = below
	}
	delete(insert, "presets") // a tenant's own role presets nothing
	if diff := cmp.Diff(schema.Defs.Role, grammar); diff != "" {
		t.Errorf("grammar.json differs from the configuration's schema (-schema +grammar):\n%s", diff)
	}
}
