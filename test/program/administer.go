package program

import (
	"encoding/json"
	"strings"
	"testing"
)

// Administered is usher with a control store, and the key of who administers it.
type Administered struct {
	*Running
	Config string
	Key    string
}

// Administer serves a configuration whose control store is new.
func Administer(tb testing.TB, config string) Administered {
	tb.Helper()
	return AdministerFilled(tb, config, func() {})
}

// AdministerFilled is Administer with a store that is filled before it is served.
func AdministerFilled(tb testing.TB, config string, fill func()) Administered {
	tb.Helper()
	out, err := Command(tb, "key", "bootstrap", "-c", config, "--json")
	if err != nil {
		tb.Fatal(err)
	}
	fill()
	u := Start(tb, "serve", "-c", config, "--listen", "127.0.0.1:0")
	return Administered{Running: u, Config: config, Key: IssuedBy(tb, out).Token}
}

// Issued is what a command prints that makes a token or a key.
type Issued struct{ ID, Token string }

// IssuedBy reads it.
func IssuedBy(tb testing.TB, out string) Issued {
	tb.Helper()
	var made Issued
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.Token == "" {
		tb.Fatalf("no token was made: %s", out)
	}
	return made
}

// With runs a command with a key in the environment and text on the standard
// input.
func (a Administered) With(tb testing.TB, key, stdin string, args ...string) (stdout, stderr string, err error) {
	tb.Helper()
	env := func(name string) (string, bool) { return key, name == "USHER_KEY" }
	return CommandIn(tb, env, stdin, append(args, "--server", a.Base)...)
}

// Says runs a command as administrator.
func (a Administered) Says(tb testing.TB, args ...string) string {
	tb.Helper()
	out, _, err := a.With(tb, a.Key, "", args...)
	if err != nil {
		tb.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}
