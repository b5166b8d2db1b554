// Package term owns what a command line program has of the process it runs in:
// its streams, its environment, the person at the terminal. It refuses globals,
// so that a test can be that person.
package term

import "io"

// IO is what a command uses of its process.
type IO struct {
	Env            func(string) (string, bool)
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}
