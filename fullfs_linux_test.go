package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"usher/test/program"
)

// disk is one that a test fills: a small file system where the test may mount one, and else a bound
// of how large the process's files may get.
type disk struct {
	dir   string
	bound bool // nothing could be mounted
}

func smallDisk(t *testing.T, bytes int) *disk {
	t.Helper()
	d := &disk{dir: t.TempDir()}
	switch err := syscall.Mount("tmpfs", d.dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		t.Logf("nothing can be mounted: what files may have is bounded instead")
		d.bound = true
	case err != nil:
		t.Fatal(err)
	default:
		t.Cleanup(func() {
			if err := syscall.Unmount(d.dir, syscall.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
	}
	return d
}

// fill leaves so many bytes.
func (d *disk) fill(t *testing.T, p *process, leave int64) {
	t.Helper()
	if d.bound {
		d.limit(t, p, 0)
		return
	}
	f, err := os.Create(filepath.Join(d.dir, "fill"))
	if err != nil {
		t.Fatal(err)
	}
	size, err := io.Copy(f, zeros{})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("%d bytes, and then %v", size, err)
	}
	if err := errors.Join(f.Truncate(max(size-leave, 0)), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// free makes room again.
func (d *disk) free(t *testing.T, p *process) {
	t.Helper()
	if d.bound {
		d.limit(t, p, ^uint64(0))
		return
	}
	if err := os.Remove(filepath.Join(d.dir, "fill")); err != nil {
		t.Fatal(err)
	}
}

func (d *disk) limit(t *testing.T, p *process, bytes uint64) {
	t.Helper()
	limit := syscall.Rlimit{Cur: bytes, Max: ^uint64(0)}
	_, _, failed := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(p.command.Process.Pid), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&limit)), 0, 0, 0) //nolint:gosec // as the call wants it
	if failed != 0 {
		t.Fatal(failed)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestFullFileSystem: nothing is left of the file system of the control store and of a file that is
// written, at once or but for some bytes. What would be written is refused and says why, what is read is
// answered, and when there is room again, the same process writes. An update of a column that has an index,
// and lists, are what the engine ends the process for when it cannot log them.
func TestFullFileSystem(t *testing.T) {
	t.Parallel()
	d := smallDisk(t, 48<<20)
	shop := filepath.Join(d.dir, "shop.duckdb")
	program.MakeDuckDB(t, shop, `CREATE TABLE notes (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, text VARCHAR UNIQUE);
		INSERT INTO notes VALUES (1, 'acme', 'hello'), (2, 'acme', 'again')`)
	config := prepare(t, "0s", "path: shop.duckdb", "path: "+shop, "strategies:", "control: {path: "+filepath.Join(d.dir, "control.duckdb")+"}\nstrategies:",
		"claims: {tenant: /tenant}", "claims: {tenant: /tenant}\n    may_grant: {write: true}", "key: id", "key: id\n    writable: true\n    global_keys: true")
	itself, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bootstrap := exec.CommandContext(t.Context(), itself, "key", "bootstrap", "admin", "--json", "-c", config) //nolint:gosec // it is this program
	bootstrap.Env, bootstrap.Stderr = append(os.Environ(), asProcess+"=1"), t.Output()
	printed, err := bootstrap.Output()
	if err != nil {
		t.Fatal(err)
	}
	var key struct{ Token string }
	if err := json.Unmarshal(printed, &key); err != nil {
		t.Fatal(err)
	}
	p := launch(t, config, "127.0.0.1:0", t.Output())
	create := func(id string) string {
		return p.askedBy(t, key.Token, fmt.Sprintf(`mutation { admin { createTenant(input: {id: %q, name: "A name"}) { id } } }`, id), nil)
	}
	update := func(text string) string {
		return p.asked(t, fmt.Sprintf(`mutation { updateNotesByPk(id: 1, set: {text: %q}) { text } }`, text))
	}
	written := func(id, text string) {
		t.Helper()
		if got := create(id); !strings.Contains(got, `"createTenant":{"id":"`+id+`"`) {
			t.Fatalf("%s", got)
		}
		if got := update(text); !strings.Contains(got, `"text":"`+text+`"`) {
			t.Fatalf("%s", got)
		}
	}
	written("before", "before")
	for n, leave := range []int64{0, 4 << 10, 1 << 20} {
		d.fill(t, p, leave)
		for i := range 8 {
			if got := create(fmt.Sprintf("full%d", i)); !strings.Contains(got, "its disk is full") || !strings.Contains(got, `"UNAVAILABLE"`) || strings.Contains(got, d.dir) {
				t.Errorf("where %d bytes are left: %s", leave, got)
			}
			if got := update(fmt.Sprintf("full%d", i)); !strings.Contains(got, "file cannot be written") || !strings.Contains(got, `"UNAVAILABLE"`) {
				t.Errorf("where %d bytes are left: %s", leave, got)
			}
			if got := p.asked(t, `{ notes { id text } }`); !strings.Contains(got, `"again"`) || strings.Contains(got, "full") {
				t.Errorf("where %d bytes are left: %s", leave, got)
			}
			if got := p.askedBy(t, key.Token, `{ admin { tenants { items { id } } } }`, nil); !strings.Contains(got, `"before"`) || strings.Contains(got, "full") {
				t.Errorf("where %d bytes are left: %s", leave, got)
			}
		}
		if _, got := program.Fetch(t, get(t, p.admin+"/health/ready")); strings.TrimSpace(string(got)) != `{"status":"ready","unwritten":"the control store cannot be written: its disk is full"}` {
			t.Errorf("where %d bytes are left: %s", leave, got)
		}
		d.free(t, p)
		written(fmt.Sprintf("after%d", n), fmt.Sprintf("after%d", n))
	}
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	p = launch(t, config, "127.0.0.1:0", t.Output())
	if got := p.asked(t, `{ notes { id text } }`); !strings.Contains(got, `"after2"`) || !strings.Contains(got, `"again"`) {
		t.Errorf("%s", got)
	}
	if got := p.askedBy(t, key.Token, `{ admin { tenants { items { id } } } }`, nil); !strings.Contains(got, `"before"`) || !strings.Contains(got, `"after2"`) || strings.Contains(got, "full") {
		t.Errorf("%s", got)
	}
}
