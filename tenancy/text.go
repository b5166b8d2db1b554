package tenancy

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"usher/principal"
)

var nameForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

const maxName = 255

// checkText refuses what no database stores alike: other than Unicode, control
// characters, and too much of it.
func checkText(what, text string, most int) error {
	switch {
	case len(text) > most:
		return unusable("%s has more than %d bytes", what, most)
	case !utf8.ValidString(text), strings.ContainsRune(text, utf8.RuneError):
		return unusable("%s is not Unicode", what)
	case strings.ContainsRune(text, 0):
		return unusable("%s holds a NUL", what)
	}
	return nil
}

// checkLine is checkText for one line.
func checkLine(what, text string, most int) error {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return unusable("%s holds a control character", what)
	}
	return checkText(what, text, most)
}

// checkPresent is checkLine for what must say something.
func checkPresent(what, text string, most int) error {
	if strings.TrimSpace(text) == "" {
		return unusable("%s is missing", what)
	}
	if strings.TrimSpace(text) != text {
		return unusable("%s begins or ends with a space", what)
	}
	return checkLine(what, text, most)
}

// checkShown is checkLine for what is shown of somebody and may be missing: an empty text, and not one that looks so.
func checkShown(what, text string) error {
	if text == "" {
		return nil
	}
	if strings.TrimSpace(text) == "" {
		return unusable("%s is blank; leave it out", what)
	}
	return checkPresent(what, text, maxName)
}

// checkSearch refuses what occurs nowhere.
func checkSearch(text string) error { return checkLine("the search", text, maxName) }

func checkNames(what string, names []string) error {
	for i, name := range names {
		if err := checkPresent("the name of a "+what, name, maxName); err != nil {
			return err
		}
		if slices.Contains(names[:i], name) {
			return unusable("%s %s is named twice", what, name)
		}
	}
	return nil
}

func checkTenantID(id string) error {
	if !principal.IsTenantID(id) {
		return unusable("a tenant's id must have the form of acme-2: a-z, 0-9, _ and -, at most 63, starting with a letter or digit")
	}
	return nil
}
