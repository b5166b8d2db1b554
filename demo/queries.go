package demo

import (
	"bytes"
	"embed"
	"path"
	"strings"
	"text/template"
	"time"
)

//go:embed queries
var queryFiles embed.FS

// Query is a sample query.
type Query struct {
	Name  string `json:"name"`
	Query string `json:"query"`
}

// Queries are the questions the chain's distributors ask, in GraphQL. The days
// in them fit the data: this month is the one its last day is in.
func Queries(d *Data) []Query {
	last := d.Reference.AddDate(0, 0, -1)
	days := struct{ LastDay, MonthStart, YearAgo string }{
		LastDay:    last.Format(time.DateOnly),
		MonthStart: time.Date(last.Year(), last.Month(), 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly),
		YearAgo:    time.Date(last.Year()-1, last.Month()+1, 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly),
	}
	var out []Query
	t := template.Must(template.ParseFS(queryFiles, "queries/*.graphql"))
	files, err := queryFiles.ReadDir("queries")
	if err != nil {
		panic("demo: the sample queries are missing: " + err.Error())
	}
	for _, f := range files {
		var text bytes.Buffer
		if err := t.ExecuteTemplate(&text, f.Name(), days); err != nil {
			panic("demo: a sample query is broken: " + err.Error())
		}
		_, name, _ := strings.Cut(strings.TrimSuffix(f.Name(), path.Ext(f.Name())), "-")
		out = append(out, Query{Name: name, Query: text.String()})
	}
	return out
}
