package config

import "usher/catalog"

// Documents are the trusted documents: the operations that the installation's own
// programs send.
type Documents struct {
	Mode      string         `yaml:"mode"`      // DocumentsOff, DocumentsLog or DocumentsOnly; empty: DocumentsOff
	Manifests []catalog.Path `yaml:"manifests"` // written by the programs' builds
	Dir       catalog.Path   `yaml:"dir"`       // of .graphql files
}

// Files are the names of the manifests.
func (d *Documents) Files() []string {
	names := make([]string, len(d.Manifests))
	for i, name := range d.Manifests {
		names[i] = string(name)
	}
	return names
}

// What becomes of operations that are not among the trusted documents.
const (
	DocumentsOff  = "off"  // they are run; trusted ones may be named by their ids
	DocumentsLog  = "log"  // they are run, and are in the log
	DocumentsOnly = "only" // they are refused
)

func (d *Documents) problems() (out []catalog.Problem) {
	if d == nil {
		return nil
	}
	add := func(key, message string) {
		out = append(out, catalog.Problem{Path: []string{"documents", key}, Message: message})
	}
	switch d.Mode {
	case "", DocumentsOff, DocumentsLog, DocumentsOnly:
	default:
		add("mode", "must be off, log or only")
	}
	if len(d.Manifests) == 0 && d.Dir == "" {
		add("manifests", "names no file, and there is no dir: name the manifest that the client's build writes")
	}
	return out
}
