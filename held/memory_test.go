package held

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// The least limit holds, of whichever group on the way to the topmost one.
func TestControlGroups(t *testing.T) {
	t.Parallel()
	const none = math.MaxInt64
	for _, c := range []struct {
		name, groups string
		limits       map[string]string
		want         int64
	}{
		{"version 2, of a unit", "0::/system.slice/usher.service\n", map[string]string{"system.slice/usher.service/memory.max": "268435456\n", "system.slice/memory.max": "max\n"}, 256 << 20},
		{"version 2, of its slice", "0::/system.slice/usher.service\n", map[string]string{"system.slice/usher.service/memory.max": "max\n", "system.slice/memory.max": "1000\n", "memory.max": "2000\n"}, 1000},
		{"version 2, in a container", "0::/\n", map[string]string{"memory.max": "4096\n"}, 4096},
		{"version 2, of names that are those outside", "0::/../../docker/f00\n", map[string]string{"memory.max": "4096\n"}, 4096},
		{"version 1", "9:name=systemd:/\n4:cpu,memory:/pods/one\n", map[string]string{"memory/pods/one/memory.limit_in_bytes": "268435456\n", "memory/memory.limit_in_bytes": "9223372036854771712\n"}, 256 << 20},
		{"version 1, in a container", "4:memory:/docker/f00\n", map[string]string{"memory/memory.limit_in_bytes": "4096\n"}, 4096},
		{"another controller's", "4:memoryless:/a\n", map[string]string{"memory/a/memory.limit_in_bytes": "1\n", "a/memory.max": "1\n"}, none},
		{"what is no number", "0::/a:b\n", map[string]string{"a:b/memory.max": "some\n", "memory.max": "-1\n"}, none},
		{"nothing", "", nil, none},
	} {
		root := t.TempDir()
		write := func(name, text string) {
			name = filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("proc/self/cgroup", c.groups)
		for name, text := range c.limits {
			write(filepath.Join("sys/fs/cgroup", name), text)
		}
		if got := grouped(root); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if got := grouped(t.TempDir()); got != none {
		t.Errorf("without control groups: %d", got)
	}
}
