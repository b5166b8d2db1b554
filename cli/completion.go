package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"usher/cli/term"
)

// completing is the word by which a shell asks usher itself what may follow the
// words behind it, the last of which is unfinished. The scripts know nothing of
// the commands, so they never grow old.
const completing = "__complete"

// scripts make shells ask.
var scripts = map[string]string{
	"bash": `_usher() {
	local IFS=$'\n'
	COMPREPLY=($(usher ` + completing + ` "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _usher usher
`,
	"zsh": `#compdef usher
_usher() {
	local -a words_of_usher
	words_of_usher=("${(@f)$(usher ` + completing + ` "${(@)words[2,CURRENT]}" 2>/dev/null)}")
	if [[ -n "$words_of_usher" ]]; then compadd -a words_of_usher; else _files; fi
}
compdef _usher usher
`,
	"fish": `complete -c usher -a '(usher ` + completing + ` (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
}

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints the script.
func (c completionCommand) Run(s *term.IO) error {
	_, err := fmt.Fprint(s.Stdout, scripts[c.Shell])
	return err
}

// complete prints the words that may stand where the last one does, a line
// each; none, where a file or free text may.
func complete(words []string, s *term.IO) error {
	parser, err := newParser(context.Background(), &commands{}, s, func(int) {})
	if err != nil {
		return err
	}
	if len(words) == 0 {
		words = []string{""}
	}
	at, flag := follow(parser.Model.Node, words[:len(words)-1])
	unfinished := words[len(words)-1]
	for _, word := range candidates(at, flag) {
		if strings.HasPrefix(word, unfinished) && (unfinished != "" || !strings.HasPrefix(word, "-") || at.Leaf()) {
			fmt.Fprintln(s.Stdout, word)
		}
	}
	return nil
}

// follow walks down the commands that the words name. The flag is the one
// whose value comes next.
func follow(at *kong.Node, words []string) (*kong.Node, *kong.Flag) {
	for i, word := range words {
		if strings.HasPrefix(word, "-") {
			f := flagOf(at, word)
			if f != nil && !f.IsBool() && i == len(words)-1 {
				return at, f
			}
			continue
		}
		if next := slices.IndexFunc(at.Children, func(n *kong.Node) bool { return n.Name == word }); next >= 0 {
			at = at.Children[next]
		}
	}
	return at, nil
}

func flagOf(at *kong.Node, word string) *kong.Flag {
	for _, group := range at.AllFlags(true) {
		for _, f := range group {
			if word == "--"+f.Name || f.Short != 0 && word == "-"+string(f.Short) {
				return f
			}
		}
	}
	return nil
}

func candidates(at *kong.Node, flag *kong.Flag) []string {
	var out []string
	if flag != nil {
		return enum(flag.Value)
	}
	for _, child := range at.Children {
		if !child.Hidden {
			out = append(out, child.Name)
		}
	}
	for _, p := range at.Positional {
		out = append(out, enum(p)...)
	}
	for _, group := range at.AllFlags(true) {
		for _, f := range group {
			out = append(out, "--"+f.Name)
		}
	}
	return out
}

// enum are the values that a flag or an argument may have, where they are few.
func enum(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return slices.DeleteFunc(v.EnumSlice(), func(word string) bool { return word == "" })
}
