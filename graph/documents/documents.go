// Package documents owns the trusted documents of an installation: the texts of
// operations that its own programs send, written by their build (persisted
// operations, a safelist). It reads the manifests of GraphQL Code Generator, Relay
// and Apollo, and folders of .graphql files, and refuses what is no GraphQL or
// stands for two texts. Whether a text is valid depends on who sends it, and is for
// package graph to judge.
package documents

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"usher/textfile"
)

// Trusted are documents by the ids that stand for them. The zero value knows none.
type Trusted struct {
	byID  map[string]string
	texts map[[sha256.Size]byte]struct{}
}

// Load reads manifests, and all .graphql files below a folder; an empty folder name
// is none.
func Load(manifests []string, dir string) (*Trusted, error) {
	t := &Trusted{byID: map[string]string{}, texts: map[[sha256.Size]byte]struct{}{}}
	for _, name := range manifests {
		if err := t.manifest(name); err != nil {
			return nil, fmt.Errorf("documents: %s: %w", name, err)
		}
	}
	if dir != "" {
		if err := t.folder(dir); err != nil {
			return nil, fmt.Errorf("documents: %w", err)
		}
	}
	if len(t.byID) == 0 {
		return nil, errors.New("documents: the manifests and the folder hold no document")
	}
	return t, nil
}

// Len is how many texts there are.
func (t *Trusted) Len() int { return len(t.texts) }

// Text is the text that an id stands for: a manifest's own id, or the SHA-256 of
// the text in hexadecimal digits, with or without "sha256:" before it.
func (t *Trusted) Text(id string) (string, bool) {
	if t == nil {
		return "", false
	}
	if text, ok := t.byID[id]; ok {
		return text, true
	}
	digits, _ := strings.CutPrefix(id, "sha256:")
	text, ok := t.byID[strings.ToLower(digits)]
	return text, ok
}

// Has tells whether a text is one of them, to the byte.
func (t *Trusted) Has(text string) bool {
	if t == nil {
		return false
	}
	_, ok := t.texts[sha256.Sum256([]byte(text))]
	return ok
}

// apolloFormat is what Apollo's manifests say they are.
const apolloFormat = "apollo-persisted-query-manifest"

// manifest reads a file of one of two shapes: {"<id>": "<text>"}, as GraphQL Code
// Generator's client preset and Relay write it, or Apollo's, which says so.
func (t *Trusted) manifest(name string) error {
	data, err := textfile.Read(name, textfile.Most)
	if err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return fmt.Errorf("is no JSON object: %w", err)
	}
	var format string
	if json.Unmarshal(members["format"], &format) == nil && format == apolloFormat {
		return t.apollo(data)
	}
	for id, raw := range members {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return fmt.Errorf("%q is no text: a manifest is an object of ids and texts, or one of format %q", id, apolloFormat)
		}
		if err := t.add(id, text); err != nil {
			return err
		}
	}
	return nil
}

func (t *Trusted) apollo(data []byte) error {
	var manifest struct {
		Version    int `json:"version"`
		Operations []struct {
			ID   string `json:"id"`
			Body string `json:"body"`
		} `json:"operations"`
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		return err
	}
	if manifest.Version != 1 {
		return fmt.Errorf("is of version %d of its format; version 1 is known", manifest.Version)
	}
	for _, op := range manifest.Operations {
		if err := t.add(op.ID, op.Body); err != nil {
			return err
		}
	}
	return nil
}

func (t *Trusted) folder(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // it was read only
	files := root.FS()
	return fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".graphql" {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if err := t.add("", string(text)); err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
		}
		return nil
	})
}

// claimedHash is the SHA-256 that an id says it is: whoever has computed one asks for the text
// that it is of. Builds write other hashes as well, SHA-1 and MD5, which are names like any other.
func claimedHash(id string) (digits string, claims bool) {
	digits, claims = strings.CutPrefix(strings.ToLower(id), "sha256:")
	if !claims {
		sum, err := hex.DecodeString(digits)
		claims = err == nil && len(sum) == sha256.Size
	}
	return digits, claims
}

// add takes a text by its id, if it has one, and by its hash.
func (t *Trusted) add(id, text string) error {
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		return fmt.Errorf("the document %q cannot be read: %w", id, err)
	}
	if len(doc.Operations) == 0 {
		return fmt.Errorf("the document %q has no operation", id)
	}
	hash := sha256.Sum256([]byte(text))
	t.texts[hash] = struct{}{}
	t.byID[hex.EncodeToString(hash[:])] = text
	if id == "" {
		return nil
	}
	if claimed, claims := claimedHash(id); claims && claimed != hex.EncodeToString(hash[:]) {
		return fmt.Errorf("the id %q says that it is the SHA-256 of its document and is not: write the manifest anew, and give ids of your own another form", id)
	}
	if known, ok := t.byID[id]; ok && known != text {
		return fmt.Errorf("the id %q stands for two documents", id)
	}
	t.byID[id] = text
	return nil
}
