package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"usher/textfile"
)

// maxReference bounds a file that holds a secret.
const maxReference = 64 << 10

// reference reads {env: NAME} or {file: PATH}. Text that stands in the file
// itself is refused: configuration is copied, printed and committed.
func (d *decoder) reference(at spot, n *node) string {
	if n.kind != mapNode || len(n.members) != 1 {
		d.problem(at, "a secret is written by reference: {env: NAME} or {file: PATH}")
		return ""
	}
	m := n.members[0]
	at = at.key(m)
	if m.key != "env" && m.key != "file" {
		d.problem(at, "unknown key; a secret is written {env: NAME} or {file: PATH}")
		return ""
	}
	if m.value.kind != textNode || m.value.text == "" {
		d.problem(at, "must name a variable or a file")
		return ""
	}
	read := d.fromFile
	if m.key == "env" {
		read = d.fromEnv
	}
	secret, err := read(m.value.text)
	if err != nil {
		d.problem(at, "%s", err)
	}
	return secret
}

func (d *decoder) fromEnv(name string) (string, error) {
	text, ok := d.env(name)
	if !ok {
		return "", errors.New("the environment has no variable " + name)
	}
	return checkSecret(text)
}

// fromFile reads a file without the line break that ends it.
func (d *decoder) fromFile(name string) (string, error) {
	name = d.file(name)
	data, err := textfile.Read(name, maxReference)
	switch {
	case err == nil:
		return checkSecret(strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"))
	case errors.Is(err, textfile.ErrLarge):
		return "", errors.New("the file is too large for a secret; 64 KiB are allowed")
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return "", fmt.Errorf("cannot read %s: %w", name, err)
}

func checkSecret(text string) (string, error) {
	switch {
	case text == "":
		return "", errors.New("is empty")
	case !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0:
		return "", errors.New("must be UTF-8 text without NUL; encode bytes as base64")
	}
	return text, nil
}
