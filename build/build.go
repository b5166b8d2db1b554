// Package build owns what this very program says it is made of: its version, the
// commit and its date, Go, and the drivers of the engines. It refuses to guess:
// what nobody stamped is not there.
package build

import (
	"runtime/debug"
	"strings"
)

// These are set by the linker when a release is built. Other builds need it not:
// Go stamps what it knows of the checkout.
var version, commit, date string

// Devel is the version of a program of which nobody said one.
const Devel = "devel"

// Info is what a program is made of. What is not known is empty.
type Info struct {
	Version  string   `json:"version"`
	Commit   string   `json:"commit,omitempty"`
	Date     string   `json:"date,omitempty"`     // of the commit, RFC 3339
	Modified bool     `json:"modified,omitempty"` // with changes that are in no commit
	Go       string   `json:"go"`
	Platform string   `json:"platform,omitempty"` // such as linux/amd64
	Engines  []Module `json:"engines,omitempty"`
}

// Module is a module of Go that is linked in.
type Module struct {
	Path    string `json:"path"`
	Version string `json:"version"`
}

// engines are the modules by which databases are reached. The bindings bring
// DuckDB itself.
var engines = []string{"github.com/duckdb/duckdb-go/v2", "github.com/duckdb/duckdb-go-bindings", "github.com/lib/pq"}

// Read is about the running program.
func Read() Info {
	stamped, ok := debug.ReadBuildInfo()
	if !ok {
		stamped = &debug.BuildInfo{GoVersion: "go"}
	}
	return read(stamped, Info{Version: version, Commit: commit, Date: date})
}

func read(stamped *debug.BuildInfo, linked Info) Info {
	info := Info{Version: stamped.Main.Version, Go: stamped.GoVersion}
	if info.Version == "" || info.Version == "(devel)" {
		info.Version = Devel
	}
	var system, processor string
	for _, s := range stamped.Settings {
		switch s.Key {
		case "vcs.revision":
			info.Commit = s.Value
		case "vcs.time":
			info.Date = s.Value
		case "vcs.modified":
			info.Modified = s.Value == "true"
		case "GOOS":
			system = s.Value
		case "GOARCH":
			processor = s.Value
		}
	}
	if linked.Version != "" {
		info.Version, info.Commit, info.Date, info.Modified = linked.Version, linked.Commit, linked.Date, false
	}
	info.Platform = strings.Trim(system+"/"+processor, "/")
	for _, path := range engines {
		for _, m := range stamped.Deps {
			if m.Path != path {
				continue
			}
			if m.Replace != nil {
				m = m.Replace
			}
			info.Engines = append(info.Engines, Module{Path: path, Version: m.Version})
		}
	}
	return info
}
