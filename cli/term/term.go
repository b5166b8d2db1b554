// Package term owns what a command line program has of the process it runs in:
// its streams, its environment, the person at the terminal. It refuses globals,
// so that a test can be that person.
package term

import (
	"io"
	"runtime/debug"
)

// IO is what a command uses of its process.
type IO struct {
	Env            func(string) (string, bool)
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// version is set by the linker; a build without it says so.
var version = "devel"

// Version is usher's own, and that of Go.
func Version() (usher, language string) {
	language = "go"
	if info, ok := debug.ReadBuildInfo(); ok {
		language = info.GoVersion
	}
	return version, language
}
