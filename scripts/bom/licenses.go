package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
)

// licenseFile is what the files are called that a copy has to bring along.
var licenseFile = regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice|patents)([._-].*)?$`)

// licensesOf has each text once, below the names of all modules that have it.
func licensesOf(modules []debug.Module, folder func(path, version string) (string, error)) (string, error) {
	var texts []string // in the order of their first module
	of := make(map[string][]string)
	for _, m := range modules {
		dir, err := folder(m.Path, m.Version)
		if err != nil {
			return "", fmt.Errorf("%s %s: %w", m.Path, m.Version, err)
		}
		files, err := os.ReadDir(dir)
		if err != nil {
			return "", err
		}
		found := false
		for _, file := range files {
			if file.IsDir() || filepath.Ext(file.Name()) == ".go" || !licenseFile.MatchString(file.Name()) {
				continue
			}
			read, err := os.ReadFile(filepath.Join(dir, file.Name()))
			if err != nil {
				return "", err
			}
			text := strings.TrimSpace(strings.ReplaceAll(string(read), "\r\n", "\n"))
			if of[text] == nil {
				texts = append(texts, text)
			}
			of[text] = append(of[text], fmt.Sprintf("%s %s (%s)", m.Path, m.Version, file.Name()))
			found = true
		}
		if !found {
			return "", fmt.Errorf("%s %s has no license in %s: it may not be given away", m.Path, m.Version, dir)
		}
	}
	var out strings.Builder
	out.WriteString("What usher was made of, and under which licenses.\n")
	for _, text := range texts {
		fmt.Fprintf(&out, "\n%s\n\n%s\n\n%s\n", strings.Repeat("=", 79), strings.Join(of[text], "\n"), text)
	}
	return out.String(), nil
}
