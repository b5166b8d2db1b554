package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

var (
	graphqlBlock = regexp.MustCompile("(?s)```graphql\n(.*?)```")
	memberRow    = regexp.MustCompile("(?m)^\\| (`[a-zA-Z`, ]+`) \\| (?:id|text|list|name|boolean|IANA|RFC|seconds|requests|object)")
)

// TestTokensFitTheSchema: the operations that tokens.md shows are valid, and its
// table of what a token grants has the members of the input.
func TestTokensFitTheSchema(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../schema/*.graphqls")
	if err != nil || len(files) == 0 {
		t.Fatal("no schema", err)
	}
	var sources []*ast.Source
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: file, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("tokens.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := graphqlBlock.FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 3 {
		t.Fatalf("tokens.md shows %d operations", len(blocks))
	}
	for _, block := range blocks {
		if _, errs := gqlparser.LoadQueryWithRules(schema, block[1], nil); len(errs) > 0 {
			t.Errorf("%s\n%v", block[1], errs)
		}
	}
	var shown, known []string
	_, table, _ := strings.Cut(string(text), "## What a token grants")
	table, _, _ = strings.Cut(table, "```")
	for _, row := range memberRow.FindAllStringSubmatch(table, -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			shown = append(shown, strings.Trim(name, "`"))
		}
	}
	for _, member := range schema.Types["NewToken"].Fields {
		known = append(known, member.Name)
	}
	slices.Sort(shown)
	slices.Sort(known)
	if !slices.Equal(shown, known) {
		t.Errorf("tokens.md has the members\n%q\nand the schema\n%q", shown, known)
	}
}
