package resolvers

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"usher/catalog"
	"usher/fault"
	"usher/graph"
	"usher/query"
)

// A table is bounded as documents are: so many columns, and so many relations
// followed by one of them.
const (
	maxTableColumns = 200
	maxTablePath    = 10
)

// tableRequest is the request of a table query, and the columns of the table
// in the order of the request's cells, their types still unknown. Names are
// looked up here to tell which one is wrong; package plan resolves them again.
func tableRequest(view *catalog.View, q graph.TableQuery) (query.Request, []graph.TableColumn, error) {
	vis := view.Dataset(q.Dataset)
	if vis == nil {
		return query.Request{}, nil, fault.New(fault.NotFound, "there is no dataset %q", q.Dataset)
	}
	if err := checkKind(vis, q); err != nil {
		return query.Request{}, nil, err
	}
	t := &tableBuilder{view: view, vis: vis, names: make(map[string]bool)}
	r := query.Request{Dataset: q.Dataset, Shape: query.Groups}
	var err error
	if len(q.Columns) > 0 {
		r.Shape = query.Many
		r.Field.Fields, err = t.rows(q.Columns)
	} else {
		r.Field.Fields, err = t.groups(q.Dimensions, q.Measures)
	}
	r.Field.Name, r.Field.Args = q.Dataset, tableArgs(q)
	return r, t.columns, err
}

// checkKind tells rows from groups, which are two kinds of tables.
func checkKind(vis *catalog.Visible, q graph.TableQuery) error {
	groups := len(q.Dimensions)+len(q.Measures) > 0
	size := len(q.Dimensions) + len(q.Measures) + len(q.Columns)
	switch {
	case size == 0:
		return fault.New(fault.BadUserInput, "the table has no columns").
			WithHint("name dimensions and measures for groups, or columns for rows")
	case size > maxTableColumns:
		return fault.New(fault.TooComplex, "a table of %d columns is too wide; at most %d are allowed", size, maxTableColumns)
	case groups && len(q.Columns) > 0:
		return fault.New(fault.BadUserInput, "columns are of rows, dimensions and measures of groups; a table has one of the two")
	case groups && !vis.Aggregate:
		return fault.New(fault.Forbidden, "no role of yours may aggregate %s", vis.Dataset.Name).
			WithHint("name columns instead of dimensions and measures")
	case !groups && q.Having.IsSet():
		return fault.New(fault.BadUserInput, "having is a condition on groups, and this table has rows; use where")
	}
	return nil
}

// tableArgs are the arguments that the dataset's own field would have.
func tableArgs(q graph.TableQuery) query.Object {
	var args query.Object
	add := func(name string, v query.Value) { args = append(args, query.Member{Name: name, Value: v}) }
	for _, arg := range []struct {
		name  string
		given graphql.Omittable[*graph.JSON]
	}{{"where", q.Where}, {"having", q.Having}, {"orderBy", q.OrderBy}} {
		if v, ok := arg.given.ValueOK(); ok && v == nil {
			add(arg.name, query.Null{})
		} else if ok {
			add(arg.name, v.Written)
		}
	}
	if q.Limit != nil {
		add("limit", query.Number(strconv.Itoa(*q.Limit)))
	}
	if q.Offset != nil {
		add("offset", query.Number(strconv.Itoa(*q.Offset)))
	}
	if q.Timezone != nil {
		add("timezone", query.Text(*q.Timezone))
	}
	return args
}

// tableBuilder makes the selection of a table, column by column.
type tableBuilder struct {
	view    *catalog.View
	vis     *catalog.Visible
	columns []graph.TableColumn
	names   map[string]bool
}

func (t *tableBuilder) rows(paths []string) ([]query.Field, error) {
	fields := make([]query.Field, len(paths))
	for i, path := range paths {
		at := fmt.Sprintf("columns[%d]", i)
		steps, col, err := t.find(at, path)
		if err != nil {
			return nil, err
		}
		name, err := t.add(at, nil, path, col.Label)
		if err != nil {
			return nil, err
		}
		fields[i] = nest(steps, query.Field{Key: name, Name: col.Name})
	}
	return fields, nil
}

func (t *tableBuilder) groups(dimensions []graph.TableDimension, measures []graph.TableMeasure) ([]query.Field, error) {
	var fields []query.Field
	if len(dimensions) > 0 {
		key := query.Field{Key: "key", Name: "key"}
		for i, dim := range dimensions {
			f, err := t.dimension(fmt.Sprintf("dimensions[%d]", i), dim)
			if err != nil {
				return nil, err
			}
			key.Fields = append(key.Fields, f)
		}
		fields = append(fields, key)
	}
	for i, m := range measures {
		f, err := t.measure(fmt.Sprintf("measures[%d]", i), m)
		if err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	return fields, nil
}

func (t *tableBuilder) dimension(at string, dim graph.TableDimension) (query.Field, error) {
	steps, col, err := t.find(at, dim.Column)
	if err != nil {
		return query.Field{}, err
	}
	leaf, name := query.Field{Name: col.Name}, dim.Column
	switch {
	case !col.Type.Groupable():
		return leaf, wrong(at, "rows cannot be grouped by %q, which is of type %s", dim.Column, col.Type.GraphQL())
	case dim.By != nil && !col.Type.Temporal():
		return leaf, wrong(at, "%q has no units of time; its type is %s", dim.Column, col.Type.GraphQL())
	case dim.Bin != nil && !col.Type.Exact():
		return leaf, wrong(at, "%q has no bins; its type is %s", dim.Column, col.Type.GraphQL())
	case dim.By != nil:
		leaf.Args = query.Object{{Name: "by", Value: query.Enum(*dim.By)}}
		name += "_" + strings.ToLower(*dim.By)
	case dim.Bin != nil:
		leaf.Args = query.Object{{Name: "bin", Value: query.Number(*dim.Bin)}}
		name += "_bin"
	}
	leaf.Key, err = t.add(at, dim.As, name, col.Label)
	return nest(steps, leaf), err
}

func (t *tableBuilder) measure(at string, m graph.TableMeasure) (query.Field, error) {
	if m.Measure != nil {
		return t.named(at, m)
	}
	if m.Function == nil {
		return query.Field{}, wrong(at, "it has neither a function nor a measure")
	}
	function := *m.Function
	if function == string(catalog.Count) {
		if m.Column != nil || m.P != nil {
			return query.Field{}, wrong(at, "count counts rows and takes nothing; countDistinct counts the values of a column")
		}
		name, err := t.add(at, m.As, function, "")
		return query.Field{Key: name, Name: function}, err
	}
	if m.Column == nil {
		return query.Field{}, wrong(at, "the function %q needs a column", function)
	}
	col := t.vis.Column(*m.Column)
	if col == nil {
		return query.Field{}, wrong(at, "%s has no column %q", t.vis.Dataset.Name, *m.Column)
	}
	if _, ok := catalog.FuncResult(catalog.Func(function), col.Type); !ok {
		return query.Field{}, wrong(at, "%q has no function %q; its type is %s", col.Name, function, col.Type.GraphQL())
	}
	leaf := query.Field{Name: function}
	switch percentile := function == string(catalog.Percentile); {
	case percentile && m.P == nil:
		return leaf, wrong(at, "the function percentile needs p, from 0 to 1")
	case !percentile && m.P != nil:
		return leaf, wrong(at, "the function %q takes no p", function)
	case percentile:
		leaf.Args = query.Object{{Name: "p", Value: query.Number(strconv.FormatFloat(*m.P, 'g', -1, 64))}}
	}
	name, err := t.add(at, m.As, col.Name+"_"+function, "")
	leaf.Key = name
	return nest([]string{col.Name}, leaf), err
}

func (t *tableBuilder) named(at string, m graph.TableMeasure) (query.Field, error) {
	if m.Function != nil || m.Column != nil || m.P != nil {
		return query.Field{}, wrong(at, "a named measure has its function and column already; leave them out")
	}
	found := t.view.Measure(t.vis, *m.Measure)
	if found == nil {
		return query.Field{}, wrong(at, "%s has no measure %q", t.vis.Dataset.Name, *m.Measure)
	}
	name, err := t.add(at, m.As, found.Name, found.Label)
	return query.Field{Key: name, Name: found.Name}, err
}

// find follows relation.relation.column.
func (t *tableBuilder) find(at, path string) (steps []string, _ *catalog.Column, _ error) {
	names := strings.Split(path, ".")
	steps = names[:len(names)-1]
	if len(steps) > maxTablePath {
		return nil, nil, fault.New(fault.TooComplex, "%s: the path has more than %d relations", at, maxTablePath)
	}
	vis := t.vis
	for _, step := range steps {
		rel, to := t.view.Relation(vis, step)
		if rel == nil {
			return nil, nil, wrong(at, "%s has no relation %q", vis.Dataset.Name, step)
		}
		if rel.Many {
			return nil, nil, wrong(at, "the relation %q leads to many rows; a table follows those to one row", step)
		}
		vis = to
	}
	name := names[len(names)-1]
	col := vis.Column(name)
	if col == nil {
		return nil, nil, wrong(at, "%s has no column %q", vis.Dataset.Name, name)
	}
	return steps, col, nil
}

// add names the next column of the table.
func (t *tableBuilder) add(at string, as *string, name, label string) (string, error) {
	if as != nil {
		name = *as
	}
	switch {
	case name == "":
		return "", wrong(at, "its name is empty")
	case t.names[name]:
		return "", wrong(at, "another column is named %q", name).WithHint("each column of a table needs a name of its own; as gives one")
	}
	t.names[name] = true
	t.columns = append(t.columns, graph.TableColumn{Name: name, Label: optional(label)})
	return name, nil
}

// nest puts a field inside of the relations that lead to it. Each column has
// relations of its own, so that cells come in the order of columns.
func nest(steps []string, leaf query.Field) query.Field {
	for i := len(steps) - 1; i >= 0; i-- {
		leaf = query.Field{Key: steps[i], Name: steps[i], Fields: []query.Field{leaf}}
	}
	return leaf
}

// wrong is a refusal that says where in the query it is about.
func wrong(at, format string, args ...any) *fault.Error {
	return fault.New(fault.BadUserInput, "%s: %s", at, fmt.Sprintf(format, args...))
}
