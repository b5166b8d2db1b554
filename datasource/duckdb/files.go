package duckdb

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"usher/sqlgen"
)

// fileTable is a file that is read in place.
type fileTable struct {
	path   string // absolute
	reader string // function of the engine
	gzip   bool
}

// fileTables are files by the names of their tables, which are sorted.
func fileTables(files map[string]string) ([]string, []fileTable, error) {
	if len(files) == 0 {
		return nil, nil, errors.New("neither a database file nor files are named")
	}
	names := slices.Sorted(maps.Keys(files))
	tables := make([]fileTable, len(names))
	for i, name := range names {
		path, err := existing(files[name])
		if err != nil {
			return nil, nil, err
		}
		if tables[i], err = fileTableOf(path); err != nil {
			return nil, nil, err
		}
	}
	return names, tables, nil
}

func fileTableOf(path string) (fileTable, error) {
	name, gzip := strings.CutSuffix(strings.ToLower(path), ".gz")
	t := fileTable{path: path, gzip: gzip}
	switch filepath.Ext(name) {
	case ".parquet":
		t.reader = "read_parquet"
	case ".csv", ".tsv":
		t.reader = "read_csv"
	case ".json", ".jsonl", ".ndjson":
		t.reader = "read_json_auto"
	default:
		return t, fmt.Errorf("%s: want a .parquet, .csv, .tsv, .json, .jsonl or .ndjson file", path)
	}
	return t, nil
}

// hold opens the files; those that it opened are returned with an error, too.
func hold(tables []fileTable) ([]*os.File, error) {
	held := make([]*os.File, 0, len(tables))
	for _, t := range tables {
		f, err := os.Open(t.path)
		if err != nil {
			return held, err
		}
		held = append(held, f)
	}
	return held, nil
}

// views makes a view per file and confines file access to exactly these.
func views(names []string, tables []fileTable, held []*os.File) []string {
	var setup, paths []string
	for i, t := range tables {
		path := literal(fmt.Sprintf("/proc/self/fd/%d", held[i].Fd()))
		from := t.reader + "(" + path + ")"
		if t.gzip && t.reader != "read_parquet" { // which the name of a descriptor does not say
			from = t.reader + "(" + path + ", compression = 'gzip')"
		}
		setup = append(setup, "CREATE VIEW "+sqlgen.Identifier(names[i])+" AS SELECT "+t.selected()+" FROM "+from)
		// The engine compares what a path leads to: of a descriptor its file, as long as that has a name, and afterwards
		// the descriptor itself, which is written here so that it leads to nothing now.
		paths = append(paths, path, literal(fmt.Sprintf("/proc/self/fd/none/../%d", held[i].Fd())))
	}
	return append(setup, "SET GLOBAL allowed_paths = ["+strings.Join(paths, ", ")+"]")
}

// selected are the columns of a file, and those that its folders say (year=2024),
// which go before its own, as the engine reads them of a path.
func (t fileTable) selected() string {
	var own, folders []string
	seen := make(map[string]bool)
	for _, folder := range strings.Split(filepath.Dir(t.path), "/") {
		name, text, ok := strings.Cut(folder, "=")
		if !ok || name == "" || strings.Contains(text, "=") || seen[strings.ToLower(name)] {
			continue
		}
		seen[strings.ToLower(name)] = true
		own = append(own, "lower("+literal(name)+")")
		folders = append(folders, ", "+folderValue(text)+" AS "+sqlgen.Identifier(name))
	}
	if len(folders) == 0 {
		return "*"
	}
	return "COLUMNS(c -> lower(c) NOT IN (" + strings.Join(own, ", ") + "))" + strings.Join(folders, "")
}

var (
	folderDate   = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
	folderNumber = regexp.MustCompile(`^-?\d{1,18}$`)
)

// folderValue is a value of a folder's name, of the type that it looks like.
func folderValue(text string) string {
	if decoded, err := url.PathUnescape(text); err == nil {
		text = decoded
	}
	switch {
	case text == "__HIVE_DEFAULT_PARTITION__":
		return "CAST(NULL AS VARCHAR)"
	case folderDate.MatchString(text):
		return "CAST(" + literal(text) + " AS DATE)"
	case folderNumber.MatchString(text):
		return "CAST(" + literal(text) + " AS BIGINT)"
	}
	return "CAST(" + literal(text) + " AS VARCHAR)"
}
