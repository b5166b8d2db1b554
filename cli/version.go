package cli

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"usher/build"
	"usher/cli/term"
)

type versionCommand struct {
	JSON bool `help:"Print JSON."`
}

// versionLine is the whole answer of --version, and the first line of the command's.
func versionLine(b build.Info) string { return fmt.Sprintf("usher %s (%s)", b.Version, b.Go) }

// Run prints the version and what the program was made of.
func (c versionCommand) Run(s *term.IO) error {
	b := build.Read()
	if c.JSON {
		out := json.NewEncoder(s.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(b)
	}
	out := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, versionLine(b))
	commit := b.Commit
	if b.Modified {
		commit += ", with changes that are in no commit"
	}
	rows := [][2]string{{"commit", commit}, {"date", b.Date}, {"platform", b.Platform}}
	for _, m := range b.Engines {
		rows = append(rows, [2]string{m.Path, m.Version})
	}
	for _, row := range rows {
		if row[1] != "" {
			fmt.Fprintf(out, "%s\t%s\n", row[0], row[1])
		}
	}
	return out.Flush()
}
