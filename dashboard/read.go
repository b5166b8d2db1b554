package dashboard

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"usher/fault"
	"usher/query"
)

// Bounds of a document. A page has no more fields than an operation, and is read
// by people.
const (
	maxBytes       = 256 << 10
	maxTiles       = 50
	maxParameters  = 50
	maxOptions     = 500
	maxListed      = 200
	maxLine        = 255
	maxDescription = 4 << 10
	maxText        = 64 << 10
	maxRows        = 1000 // of the grid
	maxHeight      = 50
	minRefresh     = 5
	maxRefresh     = 24 * 60 * 60
	columns        = 12
)

var (
	nameForm     = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)
	variableForm = regexp.MustCompile(`^[_A-Za-z][_0-9A-Za-z]{0,62}$`)
	typeForm     = regexp.MustCompile(`^(?:[_A-Za-z][_0-9A-Za-z]*|\[[_A-Za-z][_0-9A-Za-z]*!?\])!?$`)
	pathForm     = regexp.MustCompile(`^[_0-9A-Za-z]+(?:\.[_0-9A-Za-z]+)*$`)
	plainText    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*(?: [A-Za-z][A-Za-z0-9_.-]*)*$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

var (
	kinds    = []string{"number", "table", "line", "area", "bar", "pie", "donut", "scatter", "heatmap", "pivot", "text"}
	controls = []string{"date", "select", "text", "number", "toggle"}
	styles   = []string{"decimal", "currency", "percent", "date"}
	units    = []string{"year", "quarter", "month", "week", "day", "hour", "minute", "second"}
)

// IsName tells whether a text may be the name of a dashboard.
func IsName(name string) bool { return nameForm.MatchString(name) }

// CheckName refuses a text that cannot be the name of a dashboard.
func CheckName(name string) error {
	if !IsName(name) {
		return fault.New(fault.BadUserInput, "a dashboard's name has the form of sales-2: a-z, 0-9 and -, at most 63")
	}
	return nil
}

// Problem is what is wrong at a place of a document.
type Problem struct {
	Path    []string // keys and numbers of items
	Message string
}

func (p Problem) Error() string {
	if len(p.Path) == 0 {
		return p.Message
	}
	return strings.Join(p.Path, ".") + ": " + p.Message
}

// Read reads a document, or says all that is wrong with it.
func Read(v query.Value) (Document, []Problem) {
	r := &reader{}
	d := r.document(v)
	if len(r.problems) > 0 {
		return Document{}, r.problems
	}
	return d, nil
}

// Parse reads a document in JSON, which somebody has written.
func Parse(v query.Value) (Document, error) {
	d, problems := Read(v)
	if len(problems) == 0 {
		return d, nil
	}
	const most = 5
	var said []string
	for _, p := range problems[:min(most, len(problems))] {
		said = append(said, p.Error())
	}
	return Document{}, fault.New(fault.BadUserInput, "the document is no dashboard: %s", strings.Join(said, "; "))
}

// reader reads member by member, and goes on after a problem.
type reader struct{ problems []Problem }

func (r *reader) problem(at []string, format string, args ...any) {
	r.problems = append(r.problems, Problem{at, fmt.Sprintf(format, args...)})
}

func below(at []string, key string) []string { return append(at[:len(at):len(at)], key) }

// members are how the members of an object are read; those with an exclamation
// mark have to be there.
type members map[string]func(at []string, v query.Value)

func (r *reader) object(at []string, v query.Value, known members) query.Object {
	o, ok := v.(query.Object)
	if !ok {
		r.problem(at, "must be an object")
		return nil
	}
	for i, m := range o {
		read := known[m.Name]
		if read == nil {
			read = known[m.Name+"!"]
		}
		_, null := m.Value.(query.Null)
		switch here := below(at, m.Name); {
		case read == nil:
			r.problem(here, "unknown key")
		case slices.ContainsFunc(o[:i], func(other query.Member) bool { return other.Name == m.Name }):
			r.problem(here, "is there twice")
		case null:
			r.problem(here, "is null; leave it out, if that is what you mean")
		default:
			read(here, m.Value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if name, required := strings.CutSuffix(name, "!"); required {
			if _, ok := o.Get(name); !ok {
				r.problem(at, "%s is missing", name)
			}
		}
	}
	return o
}

func (r *reader) list(at []string, v query.Value, most int, item func(at []string, v query.Value)) {
	list, ok := v.(query.List)
	switch {
	case !ok:
		r.problem(at, "must be a list")
	case len(list) > most:
		r.problem(at, "has more than %d items", most)
	default:
		for i, v := range list {
			item(below(at, number(i)), v)
		}
	}
}

func (r *reader) text(into *string, most int) func([]string, query.Value) {
	return func(at []string, v query.Value) {
		text, ok := v.(query.Text)
		switch {
		case !ok:
			r.problem(at, "must be a text")
		case len(text) > most:
			r.problem(at, "has more than %d bytes", most)
		case !utf8.ValidString(string(text)), strings.ContainsRune(string(text), 0):
			r.problem(at, "must be UTF-8 without NUL")
		default:
			*into = string(text)
		}
	}
}

// line reads a text that says something, in one line.
func (r *reader) line(into *string) func([]string, query.Value) {
	return func(at []string, v query.Value) {
		before := len(r.problems)
		r.text(into, maxLine)(at, v)
		switch {
		case len(r.problems) > before:
		case strings.TrimSpace(*into) == "":
			r.problem(at, "is empty")
		case strings.ContainsFunc(*into, unicode.IsControl):
			r.problem(at, "holds a control character")
		}
	}
}

func (r *reader) form(into *string, form *regexp.Regexp, what string) func([]string, query.Value) {
	return func(at []string, v query.Value) {
		before := len(r.problems)
		if r.text(into, maxLine)(at, v); len(r.problems) == before && !form.MatchString(*into) {
			r.problem(at, "must be %s", what)
		}
	}
}

func (r *reader) oneOf(into *string, known []string) func([]string, query.Value) {
	return func(at []string, v query.Value) {
		if text, ok := v.(query.Text); ok && slices.Contains(known, string(text)) {
			*into = string(text)
			return
		}
		r.problem(at, "must be one of %s", strings.Join(known, ", "))
	}
}

func (r *reader) integer(into *int, least, most int) func([]string, query.Value) {
	return func(at []string, v query.Value) {
		digits, _ := v.(query.Number)
		n, err := strconv.Atoi(string(digits))
		if err != nil || n < least || n > most {
			r.problem(at, "must be a whole number from %d to %d", least, most)
			return
		}
		*into = n
	}
}

func (r *reader) boolean(at []string, v query.Value) {
	if _, ok := v.(query.Bool); !ok {
		r.problem(at, "must be true or false")
	}
}

// value reads any value that the control store keeps.
func (r *reader) value(into *query.Value) func([]string, query.Value) {
	return func(at []string, v query.Value) {
		if query.HoldsNUL(v) {
			r.problem(at, "holds a text with NUL")
			return
		}
		*into = v
	}
}

func (r *reader) document(v query.Value) Document {
	var d Document
	ids, names := make(map[string]bool), make(map[string]bool)
	d.written = r.object(nil, v, members{
		"title!":      r.line(&d.Title),
		"description": r.text(&d.Description, maxDescription),
		"refresh":     r.refresh(&d.Refresh),
		"parameters": func(at []string, v query.Value) {
			r.list(at, v, maxParameters, func(at []string, v query.Value) {
				p := r.parameter(at, v)
				if p.Name != "" && names[p.Name] {
					r.problem(at, "the parameter %s is there twice", p.Name)
				}
				names[p.Name] = true
				d.Parameters = append(d.Parameters, p)
			})
		},
		"tiles!": func(at []string, v query.Value) {
			r.list(at, v, maxTiles, func(at []string, v query.Value) {
				t := r.tile(at, v)
				if t.ID != "" && ids[t.ID] {
					r.problem(at, "the id %s is there twice", t.ID)
				}
				ids[t.ID] = true
				d.Tiles = append(d.Tiles, t)
			})
		},
	})
	if len(r.problems) == 0 && len(d.JSON()) > maxBytes {
		r.problem(nil, "the document has more than %d bytes", maxBytes)
	}
	return d
}

// refresh reads seconds: 0, or not so few that one page keeps a source at work.
func (r *reader) refresh(into *int) func([]string, query.Value) {
	return func(at []string, v query.Value) {
		if v == query.Value(query.Number("0")) {
			return
		}
		r.integer(into, minRefresh, maxRefresh)(at, v)
	}
}

func (r *reader) parameter(at []string, v query.Value) Parameter {
	var p Parameter
	var label string
	p.written = r.object(at, v, members{
		"name!":   r.form(&p.Name, variableForm, "the name of a variable, such as from"),
		"type!":   r.form(&p.Type, typeForm, "the type of a variable, such as Timestamp or [String!]"),
		"label":   r.line(&label),
		"control": r.oneOf(&p.Control, controls),
		"default": r.value(&p.Default),
		"options": func(at []string, v query.Value) {
			p.Options = []query.Value{} // without one, no value is
			r.list(at, v, maxOptions, func(at []string, v query.Value) {
				var value query.Value
				r.object(at, v, members{"value!": r.value(&value), "label": r.line(&label)})
				p.Options = append(p.Options, value)
			})
		},
	})
	return p
}

func (r *reader) tile(at []string, v query.Value) Tile {
	var t Tile
	var title, description string
	var chart query.Object
	t.written = r.object(at, v, members{
		"id!":         r.form(&t.ID, nameForm, "of a-z, 0-9 and -, such as revenue"),
		"title":       r.line(&title),
		"description": r.text(&description, maxDescription),
		"at!":         r.place,
		"query":       r.text(&t.Query, maxText),
		"variables": func(at []string, v query.Value) {
			var kept query.Value
			r.value(&kept)(at, v)
			var ok bool
			if t.Variables, ok = v.(query.Object); !ok {
				r.problem(at, "must be an object")
			}
		},
		"chart!": func(at []string, v query.Value) { chart = r.chart(at, v, &t.Chart) },
	})
	_, rows := chart.Get("rows")
	switch {
	case t.Chart.Kind == "text" && (t.Query != "" || len(t.Variables) > 0):
		r.problem(at, "a text asks nothing: leave out query and variables")
	case t.Chart.Kind != "" && t.Chart.Kind != "text" && strings.TrimSpace(t.Query) == "":
		r.problem(at, "query is missing")
	case t.Chart.Kind != "" && t.Chart.Kind != "text" && !rows:
		r.problem(below(at, "chart"), "rows is missing: the path to what is drawn")
	}
	return t
}

// place reads where a tile stands on the grid.
func (r *reader) place(at []string, v query.Value) {
	var x, y, w, h int
	before := len(r.problems)
	r.object(at, v, members{
		"x!": r.integer(&x, 0, columns-1), "y!": r.integer(&y, 0, maxRows), "w!": r.integer(&w, 1, columns), "h!": r.integer(&h, 1, maxHeight),
	})
	if len(r.problems) == before && x+w > columns {
		r.problem(at, "the grid has %d columns", columns)
	}
}

func (r *reader) chart(at []string, v query.Value, c *Chart) query.Object {
	path := func(into *string) func([]string, query.Value) {
		return r.form(into, pathForm, "a path, such as key.month")
	}
	paths := func(into *[]string) func([]string, query.Value) {
		return func(at []string, v query.Value) {
			var one string
			path(&one)(at, v)
			*into = append(*into, one)
		}
	}
	var text, label string
	chart := r.object(at, v, members{
		"kind!": r.oneOf(&c.Kind, kinds),
		"rows":  path(&c.Rows), "x": path(&c.X), "series": path(&c.Series), "size": path(&c.Size), "compare": path(&c.Compare),
		"y":            func(at []string, v query.Value) { r.list(at, v, maxListed, paths(&c.Y)) },
		"compareLabel": r.line(&label),
		"columns": func(at []string, v query.Value) {
			r.list(at, v, maxListed, func(at []string, v query.Value) {
				r.object(at, v, members{"path!": paths(&c.Columns), "label": r.line(&label)})
			})
		},
		"stacked": r.boolean, "horizontal": r.boolean,
		"format": func(at []string, v query.Value) { c.Formats = r.formats(at, v) },
		"text":   r.text(&text, maxText),
	})
	_, hasText := chart.Get("text")
	if c.Kind != "" && hasText != (c.Kind == "text") {
		r.problem(at, "a chart of the kind text has a text, and no other has")
	}
	return chart
}

// formats reads how the values of some paths are written.
func (r *reader) formats(at []string, v query.Value) (paths []string) {
	o, ok := v.(query.Object)
	if !ok || len(o) > maxListed {
		r.problem(at, "must be an object of at most %d paths", maxListed)
		return nil
	}
	known := make(members, len(o))
	for _, m := range o {
		if !pathForm.MatchString(m.Name) {
			r.problem(below(at, m.Name), "is no path, such as key.month")
			return nil
		}
		paths = append(paths, m.Name)
		known[m.Name] = func(at []string, v query.Value) {
			var style, currency, unit string
			var digits int
			r.object(at, v, members{
				"style": r.oneOf(&style, styles), "currency": r.form(&currency, currencyForm, "three capitals, such as USD"),
				"digits": r.integer(&digits, 0, 20), "unit": r.oneOf(&unit, units),
			})
		}
	}
	r.object(at, v, known)
	return paths
}

func number(i int) string { return strconv.Itoa(i) }
