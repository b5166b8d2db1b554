package build

import (
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	t.Parallel()
	bindings := &debug.Module{Path: "github.com/duckdb/duckdb-go-bindings", Version: "v0.1.0"}
	for name, c := range map[string]struct {
		stamped debug.BuildInfo
		linked  Info
		want    Info
	}{
		"nothing is known": {debug.BuildInfo{}, Info{}, Info{Version: Devel}},
		"a package that is tested": {
			debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "(devel)"}},
			Info{},
			Info{Version: Devel, Go: "go1.26.0"},
		},
		"a tag in a checkout": {
			debug.BuildInfo{
				GoVersion: "go1.26.0", Main: debug.Module{Path: "usher", Version: "v1.2.3"},
				Settings: []debug.BuildSetting{
					{Key: "GOOS", Value: "linux"},
					{Key: "GOARCH", Value: "arm64"},
					{Key: "vcs.revision", Value: "c0ffee"},
					{Key: "vcs.time", Value: "2026-11-28T12:00:00Z"},
					{Key: "vcs.modified", Value: "true"},
				},
				Deps: []*debug.Module{
					{Path: "github.com/lib/pq", Version: "v1.0.0", Replace: &debug.Module{Path: "../pq", Version: "v1.0.1"}},
					bindings,
					{Path: "golang.org/x/text", Version: "v0.1.0"},
				},
			},
			Info{},
			Info{
				Version: "v1.2.3", Commit: "c0ffee", Date: "2026-11-28T12:00:00Z", Modified: true, Go: "go1.26.0", Platform: "linux/arm64",
				Engines: []Module{{bindings.Path, "v0.1.0"}, {"github.com/lib/pq", "v1.0.1"}},
			},
		},
		"the linker was told": {
			debug.BuildInfo{Main: debug.Module{Version: "v1.2.4-0.20261128120000-c0ffee"}, Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "decaf"}, {Key: "vcs.modified", Value: "true"}}},
			Info{Version: "v1.2.3", Commit: "c0ffee"},
			Info{Version: "v1.2.3", Commit: "c0ffee"},
		},
	} {
		if diff := cmp.Diff(c.want, read(&c.stamped, c.linked)); diff != "" {
			t.Errorf("%s, -want +got:\n%s", name, diff)
		}
	}
}
