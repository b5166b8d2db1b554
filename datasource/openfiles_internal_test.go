package datasource

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"usher/datasource/duckdb"
)

// A file has one engine that writes, by whatever names it is known; who only reads may have it
// by two, and a name that leads to another file is no name of it any more.
func TestFileOfTwoNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "shop.duckdb")
	err := os.WriteFile(file, []byte("rows"), 0o600)
	soft, hard, folder := filepath.Join(dir, "soft.duckdb"), filepath.Join(dir, "hard.duckdb"), filepath.Join(dir, "folder")
	if err := errors.Join(err, os.Symlink(file, soft), os.Link(file, hard), os.Symlink(dir, folder)); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(here, file)
	if err != nil {
		t.Fatal(err)
	}
	files := &openFiles{byPath: make(map[string]*openFile)}
	writes := duckdb.Options{Writes: true}
	opened, first, _ := files.join(file, writes)
	if !first {
		t.Fatal("nobody has opened it")
	}
	for _, same := range []string{file, relative, filepath.Join(dir, ".", "other", "..", "shop.duckdb")} {
		if f, first, joined := files.join(same, duckdb.Options{}); first || !joined || f != opened {
			t.Errorf("%s is another file", same)
		}
		if err := files.leave(opened); err != nil {
			t.Error(err)
		}
	}
	links := []string{soft, hard, filepath.Join(folder, "shop.duckdb")}
	for _, link := range links {
		for _, opts := range []duckdb.Options{{}, writes} {
			if f, first, joined := files.join(link, opts); first || joined || f != opened {
				t.Errorf("%s is opened beside who writes it", link)
			}
		}
	}
	if err := errors.Join(os.Remove(hard), os.WriteFile(hard, []byte("others"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if f, first, _ := files.join(hard, writes); !first || f == opened {
		t.Error("another file has taken the place of the link")
	}
	if err := files.leave(opened); err != nil {
		t.Error(err)
	}
	if _, first, _ := files.join(soft, duckdb.Options{}); !first {
		t.Error("nobody has it open any more")
	}
	if _, first, _ := files.join(file, duckdb.Options{}); !first {
		t.Error("two who read are in nobody's way")
	}
	if _, first, joined := files.join(filepath.Join(folder, "shop.duckdb"), writes); first || joined {
		t.Error("it is read under two names, and written beside that")
	}
}
