package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// installed returns the version of a package that npm has installed below a folder.
func installed(folder, name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(folder, "node_modules", name, "package.json"))
	if err != nil {
		return "", fmt.Errorf("it is not installed: run scripts/prerequisites.sh bench")
	}
	var described struct{ Version string }
	err = json.Unmarshal(text, &described)
	return described.Version, err
}
