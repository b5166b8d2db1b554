// Package docs holds the documentation, and the tests that run what it shows.
package docs

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"usher/demo"
	"usher/principal"
	"usher/test/inprocess"
)

var update = flag.Bool("update", false, "rewrite the answers in query-language.md")

const queryLanguage = "query-language.md"

// What query-language.md says its examples are asked as, when, and over which
// data.
const (
	tenant = "casa-verde"
	orders = 2000
)

var (
	reference  = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	now        = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)
	strategies = []string{"shared", "database", "api", "api_scoped"}
)

// TestQueryLanguage runs every example of query-language.md, by every strategy,
// and compares the answers with those it shows.
func TestQueryLanguage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(queryLanguage)
	if err != nil {
		t.Fatal(err)
	}
	doc := parse(t, string(text))
	g := open(t, doc)
	wrong := false
	for i, e := range doc.examples {
		t.Run(fmt.Sprintf("%02d %s", i+1, e.heading), func(t *testing.T) {
			want := compact(t, e.answer)
			for _, strategy := range strategies {
				who := principal.Principal{
					Subject: "demo|" + tenant, Tenant: tenant, TenantKey: tenant,
					Kind: principal.JWT, Scopes: []principal.Scope{principal.ReadData}, Grant: principal.Grant{Strategy: strategy},
				}
				got := g.Ask(t, who, e.question, e.variables)
				if *update && strategy == strategies[0] {
					want = compact(t, string(got))
					doc.examples[i].answer = pretty(t, got)
				}
				if string(got) != want {
					t.Errorf("%s:%d: by %s\ngot  %s\nwant %s", queryLanguage, e.line, strategy, got, want)
				}
			}
		})
		wrong = wrong || t.Failed()
	}
	if *update && !wrong {
		if err := os.WriteFile(queryLanguage, []byte(doc.text()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// document is the examples between the text around them: text 0, answer 0,
// text 1, answer 1, …
type document struct {
	around   []string
	examples []example
	blocks   map[string]string // other fenced blocks by what follows their fence
}

// example is a question with its answer.
type example struct {
	heading, question, variables, answer string
	line                                 int
}

const fence = "```"

// parse reads a document: each graphql block is followed by a block "json", its
// answer, with a block "json variables" between them where it has variables.
func parse(t *testing.T, text string) *document {
	t.Helper()
	d := &document{blocks: make(map[string]string)}
	var around strings.Builder
	var next example
	lines := strings.SplitAfter(text, "\n")
	for i := 0; i < len(lines); i++ {
		if heading, ok := strings.CutPrefix(lines[i], "#"); ok {
			next.heading = strings.TrimSpace(strings.TrimLeft(heading, "#"))
		}
		around.WriteString(lines[i])
		kind, ok := strings.CutPrefix(strings.TrimSpace(lines[i]), fence)
		if !ok {
			continue
		}
		start := i + 1
		for i++; i < len(lines) && strings.TrimSpace(lines[i]) != fence; i++ {
		}
		if i == len(lines) {
			t.Fatalf("%s:%d: the block does not end", queryLanguage, start)
		}
		body := strings.Join(lines[start:i], "")
		if kind == "json" && next.question != "" {
			next.answer = body
			d.around, d.examples = append(d.around, around.String()), append(d.examples, next)
			around.Reset()
			next = example{heading: next.heading}
		} else {
			around.WriteString(body)
		}
		around.WriteString(lines[i])
		switch kind {
		case "json":
		case "graphql":
			if next.question != "" {
				t.Fatalf("%s:%d: the question has no answer", queryLanguage, next.line)
			}
			next.question, next.line = body, start
		case "json variables":
			next.variables = body
		default:
			d.blocks[kind] += body
		}
	}
	if next.question != "" {
		t.Fatalf("%s:%d: the question has no answer", queryLanguage, next.line)
	}
	d.around = append(d.around, around.String())
	return d
}

// text is the document with its answers.
func (d *document) text() string {
	var b strings.Builder
	for i, e := range d.examples {
		b.WriteString(d.around[i])
		b.WriteString(e.answer)
	}
	b.WriteString(d.around[len(d.examples)])
	return b.String()
}

// open serves the demo's data, with what the document adds to it.
func open(t *testing.T, doc *document) *inprocess.Gateway {
	t.Helper()
	dir := t.TempDir()
	data, err := demo.Prepare(t.Context(), dir, demo.Options{Orders: orders, Reference: reference})
	if err != nil {
		t.Fatal(err)
	}
	upstream, err := demo.ServeUpstream(t.Context(), data, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := upstream.Close(); err != nil {
			t.Errorf("close the sample API: %v", err)
		}
	})
	connector, err := duckdb.NewConnector(filepath.Join(dir, "samples.duckdb"), nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	if _, err := db.ExecContext(t.Context(), doc.blocks["sql"]); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	config := string(demo.Config(data, upstream.URL))
	for _, add := range []struct{ below, text string }{
		{"sources:\n", "  samples: {kind: duckdb, path: samples.duckdb}\n"},
		{"datasets:\n", doc.blocks["yaml datasets"]},
		{"    measures:\n      sold:    {expr: sum(quantity), description: How many pieces were sold.}\n", doc.blocks["yaml measures"]},
	} {
		if strings.Count(config, add.below) != 1 {
			t.Fatalf("the demo's configuration has not one line %q", add.below)
		}
		config = strings.Replace(config, add.below, add.below+add.text, 1)
	}
	return inprocess.New(t, inprocess.Setup{File: filepath.Join(dir, "usher.yml"), Text: config, Now: now})
}

// compact takes the white space between the tokens of JSON away and leaves
// every token as it is written.
func compact(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, []byte(text)); err != nil && !*update {
		t.Fatalf("the answer in %s is no JSON: %v", queryLanguage, err)
	}
	return out.String()
}

// width is how long a line of an answer may be.
const width = 110

// pretty lays JSON out in lines, each value on one where it fits.
func pretty(t *testing.T, raw []byte) string {
	t.Helper()
	var out strings.Builder
	layOut(t, &out, raw, 0, 0)
	return out.String() + "\n"
}

// layOut writes a value at an indentation, so many bytes into its line.
func layOut(t *testing.T, out *strings.Builder, raw json.RawMessage, indent, used int) {
	t.Helper()
	members, open := split(t, raw)
	if one := spaced(t, raw); open == "" || used+len([]rune(one)) <= width {
		out.WriteString(one)
		return
	}
	end := map[string]string{"{": "}", "[": "]"}[open]
	out.WriteString(open + "\n")
	for i, m := range members {
		lead := strings.Repeat("  ", indent+1)
		if m.name != "" {
			lead += m.name + ": "
		}
		out.WriteString(lead)
		layOut(t, out, m.value, indent+1, len([]rune(lead))+1)
		if i < len(members)-1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
	}
	out.WriteString(strings.Repeat("  ", indent) + end)
}

// part is a member of an object, its name in quotes, or an item of a list.
type part struct {
	name  string
	value json.RawMessage
}

// split takes an object or a list apart; a scalar has no open.
func split(t *testing.T, raw json.RawMessage) (parts []part, open string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	first, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	delim, ok := first.(json.Delim)
	if !ok {
		return nil, ""
	}
	for d.More() {
		var p part
		if delim == '{' {
			name, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			p.name = `"` + name.(string) + `"`
		}
		if err := d.Decode(&p.value); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p)
	}
	return parts, delim.String()
}

// spaced is a value on one line.
func spaced(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	parts, open := split(t, raw)
	switch open {
	case "":
		return string(raw)
	case "{":
		texts := make([]string, len(parts))
		for i, p := range parts {
			texts[i] = p.name + ": " + spaced(t, p.value)
		}
		return "{" + strings.Join(texts, ", ") + "}"
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = spaced(t, p.value)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
