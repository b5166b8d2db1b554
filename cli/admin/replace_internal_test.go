package admin

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestReplace: a file is there whole or as it was, and what is no file stays what it is.
func TestReplace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "pipe")
	says := func(text string) func(io.Writer) error {
		return func(to io.Writer) error {
			_, err := io.WriteString(to, text)
			return err
		}
	}
	if err := replace(file, says("first")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := replace(file, func(to io.Writer) error { return errors.Join(says("half")(to), broken) }); !errors.Is(err, broken) {
		t.Errorf("half a file: %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "first" {
		t.Errorf("the file is %q, %v", text, err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan string, 1)
	go func() {
		text, _ := os.ReadFile(pipe)
		read <- string(text)
	}()
	if err := replace(pipe, says("through")); err != nil {
		t.Fatal(err)
	}
	if got := <-read; got != "through" {
		t.Errorf("read from the pipe: %q", got)
	}
	if info, err := os.Stat(pipe); err != nil || info.Mode().Type() != os.ModeNamedPipe {
		t.Errorf("the pipe is %v, %v", info, err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 2 {
		t.Errorf("there are %v, %v", names, err)
	}
}
