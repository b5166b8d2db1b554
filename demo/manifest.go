package demo

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// version counts the changes of the data: data of another one is made anew.
const version = 1

const manifestFile = "manifest.json"

// manifest is written last, so a directory that has one has all of the data.
type manifest struct {
	Version   int       `json:"version"`
	Orders    int       `json:"orders"`
	Reference time.Time `json:"reference"`
}

func (d *Data) manifestFile() string { return filepath.Join(d.Dir, manifestFile) }

// complete tells whether the directory holds all of the data d describes, not
// made for a later day and not too long ago.
func (d *Data) complete() (manifest, bool) {
	var m manifest
	text, err := os.ReadFile(d.manifestFile())
	if err != nil || json.Unmarshal(text, &m) != nil || m.Version != version || m.Orders != d.Orders {
		return m, false
	}
	if age := d.Reference.Sub(m.Reference); age < 0 || age > freshFor {
		return m, false
	}
	files := []string{d.Shared()}
	for _, t := range d.Tenants {
		files = append(files, d.TenantFile(t.ID))
	}
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			return m, false
		}
	}
	return m, true
}

func (d *Data) writeManifest() error {
	text, err := json.MarshalIndent(manifest{Version: version, Orders: d.Orders, Reference: d.Reference}, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(d.manifestFile(), append(text, '\n')); err != nil {
		return fmt.Errorf("cannot finish the sample data: %w", err)
	}
	return nil
}

// writeFile writes a file that appears whole or not at all, readable by its
// owner only.
func writeFile(path string, text []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), partial)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when all went well
	if _, err = tmp.Write(text); err == nil {
		err = tmp.Sync()
	}
	if closed := tmp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
