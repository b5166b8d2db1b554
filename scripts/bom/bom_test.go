package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

func made() *debug.BuildInfo {
	return &debug.BuildInfo{
		GoVersion: "go1.26.0 X:something",
		Deps: []*debug.Module{
			{Path: "example.org/a", Version: "v1.0.0+incompatible", Sum: "h1:abc="},
			{Path: "example.org/b", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/c", Version: "v2.0.0"}},
		},
		Settings: []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "vcs", Value: "git"}},
	}
}

func TestBill(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("usher"))
	b := billOf(made(), "v1.2.3", sum, time.Unix(0, 0))
	var names []string
	for _, c := range b.Components {
		names = append(names, c.PURL)
	}
	if got, want := strings.Join(names, " "), "pkg:golang/std@1.26.0 pkg:golang/example.org/a@v1.0.0%2Bincompatible pkg:golang/example.org/c@v2.0.0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	text, err := render(b)
	if err != nil || !json.Valid(text) {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"serialNumber": "urn:uuid:`, `"timestamp": "1970-01-01T00:00:00Z"`, `"id": "Apache-2.0"`, `"value": "h1:abc="`,
		`"name": "go:GOOS"`, `"version": "v1.2.3"`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "vcs") {
		t.Error("what is not of the platform is in it")
	}
	if again, _ := render(billOf(made(), "v1.2.3", sum, time.Unix(0, 0))); string(again) != string(text) {
		t.Error("another bill of the same program")
	}
	if other := billOf(made(), "v1.2.3", sha256.Sum256(nil), time.Unix(0, 0)); other.Serial == b.Serial {
		t.Error("two programs have one serial number")
	}
}

func TestLicenses(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	for name, text := range map[string]string{
		"std/LICENSE": "of Go", "std/PATENTS": "patents of Go", "example.org/a/LICENSE.md": "free\r\nfor all\n", "example.org/c/COPYING": "free\nfor all",
		"example.org/c/license.go": "package c", "none/README.md": "all rights reserved",
	} {
		file := filepath.Join(cache, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	folder := func(path, _ string) (string, error) { return filepath.Join(cache, filepath.FromSlash(path)), nil }
	got, err := licensesOf(modulesOf(made()), folder)
	if err != nil {
		t.Fatal(err)
	}
	for text, times := range map[string]int{"of Go": 2, "patents of Go": 1, "free\nfor all": 1, "package": 0, "example.org/a v1.0.0+incompatible (LICENSE.md)\nexample.org/c v2.0.0 (COPYING)\n": 1} {
		if strings.Count(got, text) != times {
			t.Errorf("%q is not there %d times:\n%s", text, times, got)
		}
	}
	if _, err := licensesOf([]debug.Module{{Path: "none", Version: "v1.0.0"}}, folder); err == nil || !strings.Contains(err.Error(), "may not be given away") {
		t.Errorf("a module without a license: %v", err)
	}
}
