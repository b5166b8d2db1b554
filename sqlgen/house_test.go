package sqlgen_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ofEngines are words of one engine, or of what the engines spell alike so far
// and another one may not.
var ofEngines = regexp.MustCompile(`(?i)::|\b(jsonb\w*|collate|varchar|float8|bigint|hugeint|unnest|generate_series|date_trunc|lambda|list_\w+|json_\w+|regexp_\w+|` +
	`to_char|printf|array_agg|materialized|lateral|filter|within|nulls|distinct from|offset 0|ilike|at time zone)\b`)

// An engine's spellings stand in its own files: who adds an engine finds there
// all that it has to say.
func TestEnginesStandInTheirFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || slices.Contains([]string{
			"postgres.go", "postgres_json.go", "postgres_numbers.go", "postgres_read.go", "postgres_change.go", "postgres_alone.go",
			"duckdb.go", "duckdb_json.go", "duckdb_numbers.go", "duckdb_read.go", "duckdb_change.go", "standard.go",
		}, file) {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				looked++
				if found := ofEngines.FindString(literal.Value); found != "" {
					t.Errorf("%s spells for an engine: %s in %s", file, found, literal.Value)
				}
			}
			return true
		})
	}
	if looked < 100 {
		t.Errorf("only %d texts were looked at", looked)
	}
}
