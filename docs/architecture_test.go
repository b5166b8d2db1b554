package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var goFile = regexp.MustCompile("`([a-z0-9_/]+\\.go)")

// TestArchitectureNamesFiles: every file that ARCHITECTURE.md names is there,
// by its path or, beside others of its package, by its name.
func TestArchitectureNamesFiles(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			files = append(files, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(files, "\n") + "\n"
	named := goFile.FindAllStringSubmatch(string(text), -1)
	if len(named) < 30 {
		t.Fatalf("ARCHITECTURE.md names %d files", len(named))
	}
	for _, m := range named {
		if !strings.Contains(all, "/"+m[1]+"\n") {
			t.Errorf("there is no %s", m[1])
		}
	}
}
