package console_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"usher/console"
)

// What npm installs needs nobody's package that is called like one of these: no
// registry has them, so whoever took the name there would be installed.
func TestPackages(t *testing.T) {
	t.Parallel()
	h := console.Packages()
	for _, name := range []string{"client", "embed", "react"} {
		path := "/packages/" + name + ".tgz"
		response := asked(h, path, "gzip", "")
		for header, want := range map[string]string{
			"Content-Type": "application/gzip", "Content-Encoding": "", "Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff",
		} {
			if got := response.Header().Get(header); response.Code != http.StatusOK || got != want {
				t.Errorf("%s: %d, %s is %q, not %q", path, response.Code, header, got, want)
			}
		}
		if again := asked(h, path, "", response.Header().Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%s is sent again: %d", path, again.Code)
		}
		files := make(map[string]string)
		archive := tar.NewReader(bytes.NewReader(unzipped(t, response.Body.Bytes())))
		for {
			entry, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			files[strings.TrimPrefix(entry.Name, "package/")] = string(content)
		}
		var manifest struct {
			Name, Version                  string
			Exports                        map[string]struct{ Types, Default string }
			Dependencies, PeerDependencies map[string]string
		}
		if err := json.Unmarshal([]byte(files["package.json"]), &manifest); err != nil {
			t.Fatal(err)
		}
		main := manifest.Exports["."]
		for _, file := range []string{"LICENSE", strings.TrimPrefix(main.Types, "./"), strings.TrimPrefix(main.Default, "./")} {
			if files[file] == "" {
				t.Errorf("%s has no %q", name, file)
			}
		}
		if manifest.Name != "@usher/"+name || manifest.Version == "" || len(manifest.Dependencies) == 0 {
			t.Errorf("%s: %+v", name, manifest)
		}
		for dependency, version := range manifest.Dependencies {
			if strings.HasPrefix(dependency, "@usher/") || strings.ContainsAny(version, "^~*:") {
				t.Errorf("%s depends on %s %s", name, dependency, version)
			}
		}
		for file, text := range files {
			if file != "package.json" && (strings.Contains(text, `from '@usher/`) || strings.Contains(text, `from "@usher/`) || strings.Contains(text, `import("@usher/`)) {
				t.Errorf("%s: %s imports another of usher's packages", name, file)
			}
		}
	}
	for _, path := range []string{"/packages", "/packages/", "/packages/none.tgz", "/packages/../source.sha256"} {
		if response := asked(h, path, "", ""); response.Code == http.StatusOK {
			t.Errorf("%s is served", path)
		}
	}
}
