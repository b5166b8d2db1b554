// Package duckerr tells errors of DuckDB apart that its types do not, for the files of sources and that of the
// control store. It knows their texts and not the driver, and repeats nothing that may be of a row.
package duckerr

import (
	"fmt"
	"strings"
)

// Unwritten is what the system said when it did not take what the engine wrote, as on a full disk or over a quota, by the
// text of the engine's error; nil: the error is another one. Such a transaction fails at its end, with the type of one
// that collides with another. What else the text of an error holds may be of a row.
func Unwritten(message string) error {
	for _, before := range []string{"TransactionContext Error: ", "Failed to commit: ", "IO Error: "} {
		message = strings.TrimPrefix(message, before)
	}
	if !strings.HasPrefix(message, "Could not write ") {
		return nil
	}
	return fmt.Errorf("duckdb: a file cannot be written:%s", message[strings.LastIndexByte(message, ':')+1:]) // behind the file's name
}
