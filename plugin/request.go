package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
)

// Bounds of one request.
const (
	maxDepth   = 20     // values inside values
	maxFilters = 1000   // filters, and columns likewise
	maxValues  = 100000 // values of one filter
)

// wireColumn, wireFilter and wireOrder are as requests write them. Older
// requests call a filter's column id.
type (
	wireColumn struct {
		ColumnID    string      `json:"column_id"`
		Level       Level       `json:"level"`
		Aggregation Aggregation `json:"aggregation"`
	}
	wireFilter struct {
		ColumnID   string          `json:"column_id"`
		ID         string          `json:"id"`
		Expression string          `json:"expression"`
		Value      json.RawMessage `json:"value"`
	}
	wireOrder struct {
		ColumnID string `json:"column_id"`
		Order    string `json:"order"`
	}
	wireUser struct {
		ID       string          `json:"id"`
		Name     string          `json:"name"`
		Email    string          `json:"email"`
		Metadata json.RawMessage `json:"metadata"`
	}
)

// body reads a request's body as an object of known members. Members that are
// not known are refused: one of them may narrow what is asked.
func (h *handler) body(w http.ResponseWriter, r *http.Request, known ...string) (map[string]json.RawMessage, error) {
	if t := r.Header.Get("Content-Type"); t != "" {
		if media, _, err := mime.ParseMediaType(t); err != nil || media != "application/json" {
			return nil, Errorf(http.StatusUnsupportedMediaType, "the body must be application/json")
		}
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, Errorf(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", h.maxBody)
	}
	if err != nil {
		return nil, Errorf(http.StatusBadRequest, "the body did not arrive whole")
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	if deeper(text) {
		return nil, Errorf(http.StatusBadRequest, "the body is nested more than %d levels deep", maxDepth)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, Errorf(http.StatusBadRequest, "the body is no JSON object")
	}
	for name := range members {
		if !slices.Contains(known, name) && !slices.Contains(h.ignored, name) {
			return nil, Errorf(http.StatusBadRequest, "the member %q is not known to this plugin", name)
		}
	}
	return members, nil
}

// deeper tells whether JSON text is nested beyond the bound.
func deeper(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// into reads one value without members that are not known.
func into[T any](text json.RawMessage, what string) (T, error) {
	var out T
	if len(text) == 0 || string(text) == "null" {
		return out, nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		return out, Errorf(http.StatusBadRequest, "%s cannot be read: %s", what, plain(err))
	}
	return out, nil
}

// plain is a decoding error without the type names of this package.
func plain(err error) string {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return "a " + wrong.Value + " in the place of " + wrong.Field
	}
	return err.Error()
}

func (h *handler) user(text json.RawMessage) (User, error) {
	var wire wireUser
	if len(text) > 0 { // what else is said of a user narrows nothing
		if err := json.Unmarshal(text, &wire); err != nil {
			return User{}, Errorf(http.StatusBadRequest, "user cannot be read: %s", plain(err))
		}
	}
	metadata, err := into[map[string]any](wire.Metadata, "user.metadata")
	return User{ID: wire.ID, Name: wire.Name, Email: wire.Email, Metadata: metadata}, err
}

// query reads the body of POST /query.
func (h *handler) query(w http.ResponseWriter, r *http.Request) (Query, error) {
	q := Query{Caller: callerOf(r.Header)}
	members, err := h.body(w, r, "id", "columns", "filters", "filters_all", "options", "user", "order", "limit")
	if err != nil {
		return q, err
	}
	if q.Dataset, err = into[string](members["id"], "id"); err != nil {
		return q, err
	}
	if q.Dataset == "" {
		return q, Errorf(http.StatusBadRequest, "id, the dataset's, is missing")
	}
	if q.Caller.User, err = h.user(members["user"]); err != nil {
		return q, err
	}
	var options struct {
		Pushdown bool `json:"pushdown"`
	}
	if text := members["options"]; len(text) > 0 {
		if err := json.Unmarshal(text, &options); err != nil {
			return q, Errorf(http.StatusBadRequest, "options cannot be read: %s", plain(err))
		}
	}
	q.Pushdown = options.Pushdown
	if q.Columns, err = columnsOf(members["columns"]); err != nil {
		return q, err
	}
	if q.Filters, err = filtersOf(members["filters"], "filters"); err != nil {
		return q, err
	}
	if q.FiltersAll, err = filtersOf(members["filters_all"], "filters_all"); err != nil {
		return q, err
	}
	if q.Order, err = orderOf(members["order"]); err != nil {
		return q, err
	}
	limit, err := into[struct {
		By int `json:"by"`
	}](members["limit"], "limit")
	if err == nil && limit.By < 0 {
		err = Errorf(http.StatusBadRequest, "limit.by is less than 0")
	}
	q.Limit = limit.By
	return q, err
}

var (
	levels       = []Level{"", Year, Quarter, Month, Week, Day, Hour, Minute, Second, Millisecond}
	aggregations = []Aggregation{"", Sum, Min, Max, Count, DistinctCount}
)

func columnsOf(text json.RawMessage) ([]Column, error) {
	wire, err := into[[]wireColumn](text, "columns")
	if err != nil {
		return nil, err
	}
	if len(wire) > maxFilters {
		return nil, Errorf(http.StatusBadRequest, "there are more than %d columns", maxFilters)
	}
	var out []Column
	for i, c := range wire {
		switch {
		case c.ColumnID == "":
			return nil, Errorf(http.StatusBadRequest, "column %d has no column_id", i+1)
		case !slices.Contains(levels, c.Level):
			return nil, Errorf(http.StatusBadRequest, "column %d has the unknown level %q", i+1, c.Level)
		case !slices.Contains(aggregations, c.Aggregation):
			return nil, Errorf(http.StatusBadRequest, "column %d has the unknown aggregation %q", i+1, c.Aggregation)
		}
		out = append(out, Column{ID: c.ColumnID, Level: c.Level, Aggregation: c.Aggregation})
	}
	return out, nil
}

func filtersOf(text json.RawMessage, what string) ([]Filter, error) {
	wire, err := into[[]wireFilter](text, what)
	if err != nil {
		return nil, err
	}
	if len(wire) > maxFilters {
		return nil, Errorf(http.StatusBadRequest, "there are more than %d %s", maxFilters, what)
	}
	var out []Filter
	for i, f := range wire {
		filter, err := f.filter()
		if err != nil {
			return nil, Errorf(http.StatusBadRequest, "filter %d of %s: %v", i+1, what, err)
		}
		out = append(out, filter)
	}
	return out, nil
}

// filter is the filter, if all of it is understood.
func (f wireFilter) filter() (Filter, error) {
	out := Filter{Column: f.ColumnID}
	if out.Column == "" {
		out.Column = f.ID
	}
	if out.Column == "" || f.ID != "" && f.ID != out.Column {
		return out, Errorf(http.StatusBadRequest, "it names no column, or two")
	}
	var known bool
	if out.Operator, known = operator(f.Expression); !known {
		return out, Errorf(http.StatusBadRequest, "the expression %q is not known", f.Expression)
	}
	list := f.Value
	if text := bytes.TrimSpace(list); len(text) > 0 && text[0] != '[' && string(text) != "null" {
		list = slices.Concat([]byte("["), text, []byte("]")) // older requests write one value by itself
	}
	var err error
	if out.Values, err = into[[]any](list, "value"); err != nil {
		return out, err
	}
	for _, v := range out.Values {
		switch v.(type) {
		case nil, string, bool, json.Number:
		default:
			return out, Errorf(http.StatusBadRequest, "a value is neither text, number, boolean nor null")
		}
	}
	n, want := len(out.Values), values[out.Operator]
	switch {
	case n > maxValues:
		return out, Errorf(http.StatusBadRequest, "it has more than %d values", maxValues)
	case want == -1 && n == 0, want > 0 && n != want:
		return out, Errorf(http.StatusBadRequest, "%q does not go with %d values", out.Operator, n)
	case want == 0:
		out.Values = nil // some callers repeat a value that says nothing
	}
	return out, nil
}

func orderOf(text json.RawMessage) ([]Order, error) {
	wire, err := into[[]wireOrder](text, "order")
	if err != nil {
		return nil, err
	}
	var out []Order
	for i, o := range wire {
		if o.ColumnID == "" || !slices.Contains([]string{"", "asc", "desc"}, o.Order) {
			return nil, Errorf(http.StatusBadRequest, "term %d of the order has no column_id, or is neither asc nor desc", i+1)
		}
		out = append(out, Order{Column: o.ColumnID, Descending: o.Order == "desc"})
	}
	return out, nil
}
