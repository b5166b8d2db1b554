package config

import (
	"errors"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"usher/catalog"
	"usher/dashboard"
	"usher/textfile"
)

// dashboardsFolder stands beside the configuration: a dashboard a file, which has its
// name.
const dashboardsFolder = "dashboards"

// dashboardFile is a file of the folder, as it was read.
type dashboardFile struct {
	path string
	tree *node
}

// readDashboards reads the folder's files; without one there are none. Errors have
// the places of all that is wrong.
func (c *Config) readDashboards(dir string) error {
	folder := filepath.Join(dir, dashboardsFolder)
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &Error{Lines: []string{folder + ": cannot be read: " + err.Error()}}
	}
	var problems []string
	for _, e := range entries {
		name, yml := strings.CutSuffix(e.Name(), ".yml")
		if strings.HasPrefix(name, ".") || e.IsDir() {
			continue
		}
		path := filepath.Join(folder, e.Name())
		switch {
		case !yml:
			problems = append(problems, path+": a dashboard's file ends with .yml; keep others elsewhere")
		case !dashboard.IsName(name):
			problems = append(problems, path+": the file's name is the dashboard's, of the form sales-2.yml: a-z, 0-9 and -")
		default:
			if err := c.readDashboard(name, path); err != nil {
				problems = append(problems, strings.Split(err.Error(), "\n")...)
			}
		}
	}
	if problems != nil {
		return &Error{Lines: problems}
	}
	return nil
}

// ReadDashboard reads a file with a dashboard, in YAML or JSON. An error has the places
// of all that is wrong.
func ReadDashboard(path string) (dashboard.Document, error) {
	c := &Config{}
	const only = "a"
	err := c.readDashboard(only, path)
	return c.Dashboards[only], err
}

func (c *Config) readDashboard(name, path string) error {
	text, err := textfile.Read(path, textfile.Most)
	if err != nil {
		return &Error{Lines: []string{path + ": cannot be read: " + err.Error()}}
	}
	tree, problems := parseTree(text)
	if tree == nil {
		return newError(path, problems)
	}
	d := &decoder{}
	v := d.query(spot{line: tree.line, column: tree.column}, tree)
	if problems = append(problems, d.problems...); len(problems) > 0 {
		return newError(path, problems)
	}
	document, wrong := dashboard.Read(v)
	if c.dashboards == nil {
		c.dashboards, c.Dashboards = make(map[string]dashboardFile), make(map[string]dashboard.Document)
	}
	c.dashboards[name], c.Dashboards[name] = dashboardFile{path, tree}, document
	return c.LocateInDashboard(name, wrong)
}

// DashboardNames are those of the dashboards in files.
func (c *Config) DashboardNames() iter.Seq[string] {
	return slices.Values(slices.Sorted(maps.Keys(c.Dashboards)))
}

// LocateInDashboard turns problems of a dashboard into one *Error with lines and
// columns of its file. It is nil when nothing is wrong.
func (c *Config) LocateInDashboard(name string, problems []dashboard.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	file := c.dashboards[name]
	found := make([]problem, len(problems))
	for i, p := range problems {
		found[i] = file.tree.locate(catalog.Problem{Path: p.Path, Message: p.Message})
	}
	return newError(file.path, found)
}
