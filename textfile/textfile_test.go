package textfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"usher/textfile"
)

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "pipe")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	is := func(name string, most int64, want string) {
		t.Helper()
		if got, err := textfile.Read(name, most); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	is(file, 4, "text")
	is(pipe, 4, "") // nobody writes to it
	if _, err := textfile.KeyPair(pipe, pipe); err == nil {
		t.Error("a pipe that nobody writes to is a certificate")
	}
	both, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := both.WriteString("by and by"); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	time.AfterFunc(50*time.Millisecond, func() { closed <- both.Close() })
	is(pipe, 9, "by and by")
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	for name, most := range map[string]int64{file: 3, dir: 100, filepath.Join(dir, "none"): 100, "/dev/zero": 100} {
		if _, err := textfile.Read(name, most); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
