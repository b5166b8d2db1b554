package tenancy

import (
	"slices"
	"unicode"

	"github.com/mtibben/confusables"
	"golang.org/x/text/secure/precis"

	"usher/fault"
)

// canonical is the one form of a username, by RFC 8265: lower case, composed,
// without spaces, control characters and the like. A name that has none, or
// whose form has another form itself, is refused.
func canonical(username string) (string, error) {
	name, err := precis.UsernameCaseMapped.String(username)
	switch {
	case len(name) > maxName || len(username) > maxName:
		return "", unusable("the username has more than %d bytes", maxName)
	case err != nil || name == "":
		return "", unusable("the username cannot be used: it has letters and digits of any script, and marks such as . - _ @, without spaces")
	}
	if again, err := precis.UsernameCaseMapped.String(name); err != nil || again != name {
		return "", unusable("the username is ambiguous")
	}
	return name, nil
}

// newUsername is the canonical form of a name that nobody has yet: one that has no letter of elsewhere, and that an
// address can end with.
func newUsername(username string) (string, error) {
	name, err := canonical(username)
	switch {
	case err != nil:
		return "", err
	case name == "." || name == "..":
		return "", unusable("the username has no letter or digit")
	case !oneScript(name):
		return "", unusable("the username mixes letters of several scripts, some of which look alike: write it in one")
	}
	return name, nil
}

// unlikeOthers refuses a name that looks like that of another user of the tenant, in one script or in two: what Unicode's
// technical standard 39 calls confusable. Nobody makes another such name before the transaction ends.
func (t *tx) unlikeOthers(tenant, username string) error {
	if err := t.Lock("usher usernames", tenant); err != nil {
		return err
	}
	var others []string
	if err := t.List(&others, "SELECT username FROM store.users WHERE tenant = $1", tenant); err != nil {
		return err
	}
	looks := confusables.Skeleton(username)
	for _, other := range others {
		switch {
		case other == username:
			return fault.New(fault.Conflict, "there is a user of that name")
		case confusables.Skeleton(other) == looks:
			return fault.New(fault.Conflict, "the username looks like that of another user, %s: choose one that nobody takes for it", fault.Quote(other))
		}
	}
	return nil
}

// writings are the scripts that are written together, beside Latin.
var writings = [][]string{{"Han", "Hiragana", "Katakana"}, {"Han", "Bopomofo"}, {"Han", "Hangul"}}

// oneScript tells whether letters are of one script, or of those that one language is written in: the level
// "highly restrictive" of Unicode's technical standard 39.
func oneScript(name string) bool {
	var found []string
	for _, r := range name {
		if script := scriptOf(r); script != "" && !slices.Contains(found, script) {
			found = append(found, script)
		}
	}
	if len(found) < 2 {
		return true
	}
	return slices.ContainsFunc(writings, func(together []string) bool {
		return !slices.ContainsFunc(found, func(script string) bool { return script != "Latin" && !slices.Contains(together, script) })
	})
}

// scriptOf is the script of a letter; empty for what all of them share, such as digits and accents.
func scriptOf(r rune) string {
	if unicode.In(r, unicode.Common, unicode.Inherited) {
		return ""
	}
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return name
		}
	}
	return ""
}
