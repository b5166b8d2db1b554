package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
)

// std is what the standard library is called as a module.
const std = "std"

// The parts of CycloneDX that are used: https://cyclonedx.org/docs/1.5/json/.
type bom struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Serial     string      `json:"serialNumber"`
	Version    int         `json:"version"`
	Metadata   metadata    `json:"metadata"`
	Components []component `json:"components"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licenses   []license  `json:"licenses,omitempty"`
	PURL       string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type license struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// modulesOf are what was linked in, with the library of Go before all others.
// What replaces a module is what was linked.
func modulesOf(made *debug.BuildInfo) []debug.Module {
	all := []debug.Module{{Path: std, Version: strings.TrimPrefix(strings.Fields(made.GoVersion + " ")[0], "go")}}
	for _, m := range made.Deps {
		for m.Replace != nil {
			m = m.Replace
		}
		all = append(all, *m)
	}
	return all
}

func billOf(made *debug.BuildInfo, version string, sum [sha256.Size]byte, when time.Time) bom {
	usher := component{
		Type: "application", Name: "usher", Version: version, PURL: "pkg:golang/usher@" + version,
		Hashes: []hash{{"SHA-256", hex.EncodeToString(sum[:])}}, Licenses: make([]license, 1),
	}
	usher.Ref, usher.Licenses[0].License.ID = usher.PURL, "Apache-2.0"
	for _, s := range made.Settings {
		switch s.Key {
		case "GOOS", "GOARCH", "CGO_ENABLED":
			usher.Properties = append(usher.Properties, property{"go:" + s.Key, s.Value})
		}
	}
	b := bom{
		Format: "CycloneDX", Spec: "1.5", Version: 1, Serial: serial(sum), Components: []component{},
		Metadata: metadata{Timestamp: when.UTC().Format(time.RFC3339), Component: usher},
	}
	for _, m := range modulesOf(made) {
		c := component{Type: "library", Name: m.Path, Version: m.Version, PURL: "pkg:golang/" + m.Path + "@" + strings.ReplaceAll(m.Version, "+", "%2B")}
		c.Ref = c.PURL
		if m.Sum != "" {
			c.Properties = []property{{"go:sum", m.Sum}}
		}
		b.Components = append(b.Components, c)
	}
	return b
}

// serial is a UUID (of version 8, made by a rule of one's own) of the program.
func serial(sum [sha256.Size]byte) string {
	id := sum
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

func render(b bom) ([]byte, error) {
	text, err := json.MarshalIndent(b, "", "  ")
	return append(text, '\n'), err
}
