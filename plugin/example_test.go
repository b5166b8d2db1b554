package plugin_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"usher/plugin"
)

// menu is a plugin with one dataset that each tenant has rows of its own in.
type menu struct{ dishes map[string][]string }

func (m menu) Datasets(context.Context, plugin.Caller) ([]plugin.Dataset, error) {
	return []plugin.Dataset{{ID: "menu", Columns: []plugin.DatasetColumn{
		{ID: "tenant", Type: plugin.Hierarchy}, {ID: "dish", Type: plugin.Hierarchy},
	}}}, nil
}

func (m menu) Query(ctx context.Context, q plugin.Query, rows *plugin.Rows) error {
	all, _ := m.Datasets(ctx, q.Caller)
	if q.Dataset != "menu" {
		return plugin.Errorf(http.StatusNotFound, "there is no dataset %q", q.Dataset)
	}
	columns, err := q.Of(all[0])
	if err != nil {
		return err
	}
	tenant := q.Caller.User.Text("tenant")
	if tenant == "" { // nobody in particular is nobody, not everybody
		return plugin.Errorf(http.StatusForbidden, "the metadata names no tenant")
	}
	for _, dish := range m.dishes[tenant] {
		row := map[string]any{"tenant": tenant, "dish": dish}
		keep := true
		for _, f := range q.Filters {
			keep = keep && f.Match(row[f.Column])
		}
		if !keep {
			continue
		}
		cells := make([]any, len(columns))
		for i, c := range columns {
			cells[i] = row[c.ID]
		}
		if err := rows.Write(cells...); err != nil {
			return err
		}
	}
	return nil
}

func Example() {
	service, err := plugin.Handler(menu{map[string][]string{
		"acme": {"burrito", "taco"}, "bistro": {"quiche"},
	}}, plugin.Options{Secret: "keep this to yourself"})
	if err != nil {
		panic(err)
	}
	question := `{"id":"menu","columns":[{"column_id":"dish"}],
		"filters":[{"column_id":"dish","expression":"<>","value":["taco"]}],"user":{"metadata":{"tenant":"acme"}}}`
	request := httptest.NewRequest(http.MethodPost, "/query", strings.NewReader(question))
	request.Header.Set("X-Secret", "keep this to yourself")
	answer := httptest.NewRecorder()
	service.ServeHTTP(answer, request)
	fmt.Print(answer.Body)
	// Output: [["burrito"]]
}
