package cli_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"usher/cli"
)

var update = flag.Bool("update", false, "rewrite the reference of commands")

const (
	reference = "../docs/cli.md"
	mark      = "<!-- What follows is written by `go test ./cli -run Reference -update`. -->\n"
)

// docs/cli.md has every command and every flag that the program has.
func TestReference(t *testing.T) {
	t.Parallel()
	text := read(t, reference)
	before, after, ok := strings.Cut(text, mark)
	if !ok {
		t.Fatal("the mark is gone")
	}
	var out strings.Builder
	for _, top := range cli.Model(t).Children {
		if top.Leaf() {
			command(&out, "##", top)
			continue
		}
		fmt.Fprintf(&out, "\n## `%s`\n\n%s\n", top.FullPath(), top.Help)
		for _, each := range top.Leaves(true) {
			command(&out, "###", each)
		}
	}
	if *update {
		if err := os.WriteFile(reference, []byte(before+mark+out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(after, out.String()); diff != "" {
		t.Errorf("%s, -want +got:\n%s", reference, diff)
	}
}

// server is the group of flags that every command has that asks a server;
// they are explained once.
const server = "The running server:"

func command(out *strings.Builder, level string, c *kong.Node) {
	fmt.Fprintf(out, "\n%s `%s`\n\n%s\n\n    %s\n", level, c.FullPath(), c.Help, c.Tag.Get("example"))
	var rows [][2]string
	for _, p := range c.Positional {
		name := "`" + p.Summary() + "`"
		rows = append(rows, [2]string{name, p.Help})
	}
	var asks []string
	for _, f := range c.Flags {
		if f.Group != nil && f.Group.Title == server {
			asks = append(asks, "`--"+f.Name+"`")
			continue
		}
		if !f.Hidden {
			rows = append(rows, [2]string{"`" + flagText(f) + "`", helpOf(f)})
		}
	}
	if len(rows) > 0 {
		out.WriteString("\n| | |\n|---|---|\n")
	}
	for _, row := range rows {
		fmt.Fprintf(out, "| %s | %s |\n", row[0], strings.ReplaceAll(row[1], "|", "\\|"))
	}
	if asks != nil {
		fmt.Fprintf(out, "\nAsks a running server: %s.\n", strings.Join(asks, ", "))
	}
}

func flagText(f *kong.Flag) string {
	text := "--" + f.Name
	if f.Short != 0 {
		text = "-" + string(f.Short) + ", " + text
	}
	if f.Tag.Negatable != "" {
		text = "--[no-]" + f.Name
	}
	if !f.IsBool() {
		text += "=" + strings.TrimSuffix(f.FormatPlaceHolder(), ",...")
	}
	return text
}

func helpOf(f *kong.Flag) string {
	help := f.Help
	if len(f.Envs) > 0 {
		help = strings.TrimSuffix(help, ".") + "; in the environment `" + strings.Join(f.Envs, "`, `") + "`."
	}
	if f.Required {
		help += " Required."
	}
	return help
}

var (
	inBlock = regexp.MustCompile("(?m)^ *(?:bin/)?(usher [a-z].*)$")
	block   = regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```|^(    [^\n]*)$")
	inLine  = regexp.MustCompile("`usher ([a-z][a-z -]*)[^`]*`")
)

// Every command line that README and docs show is one that usher takes.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range append(files, "../README.md") {
		text := read(t, file)
		for _, found := range inBlock.FindAllStringSubmatch(strings.Join(blocks(text), "\n"), -1) {
			line, _, _ := strings.Cut(found[1], " # ")
			line, _, _ = strings.Cut(line, " > ")
			seen++
			if err := cli.Parse(t, words(line)[1:]...); err != nil {
				t.Errorf("%s: %s: %v", file, line, err)
			}
		}
		for _, found := range inLine.FindAllStringSubmatch(text, -1) {
			seen++
			at := cli.Model(t)
			for _, name := range strings.Fields(found[1]) {
				next := slices.IndexFunc(at.Children, func(n *kong.Node) bool { return n.Name == name })
				if next < 0 && !at.Leaf() {
					t.Errorf("%s: %s: there is no command %s", file, found[0], name)
				}
				if next < 0 {
					break
				}
				at = at.Children[next]
			}
		}
	}
	if seen < 60 {
		t.Errorf("only %d command lines were found", seen)
	}
}

// blocks are the parts of a text that are shown as code.
func blocks(text string) []string {
	var out []string
	for _, found := range block.FindAllStringSubmatch(text, -1) {
		out = append(out, found[1]+found[2])
	}
	return out
}
