package plan_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/query"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// now is a moment in a leap year, on a Wednesday, after midnight in Madrid but
// not in UTC.
var now = time.Date(2028, time.March, 29, 22, 45, 30, 987_000_000, time.UTC)

// golden is one case of testdata/*.txtar.
type golden struct {
	file string
	cat  *catalog.Catalog
	p    principal.Principal
	text string
	r    query.Request
	want *[]byte
}

func (g golden) build() (plan.Query, error) { return plan.Build(g.r, g.cat, g.p, now) }

// goldens reads the cases. A file's sections are the name of its catalog in
// testdata, then principals, queries and what is wanted of each query; a
// principal asks all queries up to the next one.
func goldens(t *testing.T) (cases []golden, archives map[string]*txtar.Archive) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	archives = make(map[string]*txtar.Archive)
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		archives[file] = archive
		var cat *catalog.Catalog
		var p principal.Principal
		var out []txtar.File
		for _, f := range archive.Files {
			switch f.Name {
			case "catalog":
				text, err := os.ReadFile(filepath.Join("testdata", strings.TrimSpace(string(f.Data))))
				if err != nil {
					t.Fatal(err)
				}
				cat = plantest.Catalog(t, string(text), nil)
			case "principal":
				p = plantest.Principal(t, string(f.Data))
			case "query":
				out = append(out, f, txtar.File{Name: "want"})
				cases = append(cases, golden{file: file, cat: cat, p: p, text: string(f.Data), r: plantest.Request(t, string(f.Data))})
				continue
			case "want":
				out[len(out)-1].Data = f.Data
				continue
			default:
				t.Fatalf("%s: what is a section %q?", file, f.Name)
			}
			out = append(out, f)
		}
		archive.Files = out
		for i, n := 0, 0; i < len(cases); i++ {
			if cases[i].file != file {
				continue
			}
			for archive.Files[n].Name != "want" {
				n++
			}
			cases[i].want = &archive.Files[n].Data
			n++
		}
	}
	return cases, archives
}

// outcome is the plan, or code, message and hint of the refusal.
func outcome(t *testing.T, g golden) []byte {
	t.Helper()
	q, err := g.build()
	if err == nil {
		return []byte(plan.Dump(q))
	}
	if q.Valid() {
		t.Error("a refusal came with a plan")
	}
	f := fault.From(err)
	if f.Code == fault.Internal {
		t.Errorf("%s: %v", g.text, err)
	}
	text := string(f.Code) + ": " + f.Message + "\n"
	if len(f.Also) > 0 {
		text += "at " + f.At + "\n"
	}
	if f.Hint != "" {
		text += "hint: " + f.Hint + "\n"
	}
	for _, also := range f.Also {
		text += "also " + also.At + ": " + also.Message + "\n"
	}
	return []byte(text)
}

func TestGolden(t *testing.T) {
	t.Parallel()
	cases, archives := goldens(t)
	for _, g := range cases {
		got := outcome(t, g)
		if *update {
			*g.want = got
			continue
		}
		if !bytes.Equal(*g.want, got) {
			t.Errorf("%s: %s-want +got:\n%s", g.file, g.text, cmp.Diff(string(*g.want), string(got)))
		}
		if again := outcome(t, g); !bytes.Equal(again, got) {
			t.Errorf("%s: a second plan differs: %s%s", g.file, g.text, cmp.Diff(string(got), string(again)))
		}
	}
	if *update {
		for file, archive := range archives {
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
