package diskroom

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFor: where there is room, room for the log is set aside, and the log is as it was. What is on a
// full disk is in TestFullFileSystem of the program.
func TestFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, link := filepath.Join(dir, "a.duckdb"), filepath.Join(dir, "link.duckdb")
	for _, name := range []string{path, path + ".wal"} {
		if err := os.WriteFile(name, []byte("some"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := For(link); err != nil {
			t.Fatal(err)
		}
	}
	var log syscall.Stat_t
	if err := syscall.Stat(path+".wal", &log); err != nil {
		t.Fatal(err)
	}
	if log.Size != 4 || log.Blocks*512 < logged || log.Blocks*512 > 2*logged {
		t.Errorf("the log has %d bytes, in %d", log.Size, log.Blocks*512)
	}
	if err := For(filepath.Join(dir, "gone.duckdb")); err != nil {
		t.Errorf("of a file of which nothing is known: %v", err)
	}
}

// TestReadOnly: what a fault has made a file system for reading only takes nothing, whether there is a log or not.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Log("nothing can be mounted: what the engine says of such a file system is looked at alone, in TestUnwritten")
		return
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "a.duckdb")
	for _, name := range []string{path, path + ".wal"} {
		if err := os.WriteFile(name, []byte("some"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if err := For(path); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a file system for reading only: %v", err)
	}
	if err := setAside(path+".wal", logged); !errors.Is(err, syscall.EROFS) {
		t.Errorf("its log: %v", err)
	}
}

// TestUnwritten: what the engine says of a disk, and of rows that hold the same words.
func TestUnwritten(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]bool{
		`TransactionContext Error: Failed to commit: Could not write file "/a.wal": No space left on device`: true,
		`TransactionContext Error: Failed to commit: Cannot open file "/a.wal": Read-only file system`:       true,
		`IO Error: Cannot open file "/a": No such file or directory`:                                         false,
		`IO Error: Could not write all bytes to file "/a"`:                                                   true,
		`Constraint Error: Duplicate key "text: Could not write file"`:                                       false,
		`TransactionContext Error: Failed to commit: write-write conflict`:                                   false,
	} {
		if got := Unwritten(message) != nil; got != want {
			t.Errorf("%s: %t", message, got)
		}
	}
}
