package demo

import (
	"context"
	"database/sql"
	"fmt"
)

// jsonRows are the rows of one dataset as JSON, encoded once. They lie in one
// piece of memory with commas between them, tenant by tenant, so that a page
// of everybody's rows and one of a single tenant's are both a slice of it.
type jsonRows struct {
	text    []byte
	ends    []int // where each row ends
	tenants map[string]span
	common  bool
}

// span is the rows from the first up to, not including, the last.
type span struct{ first, last int }

// apiDatasets are the names below /v1/.
func apiDatasets() []string {
	return []string{"distributors", "orders", "order_items", "reviews", "products", "promotions"}
}

// loadRows reads the datasets of the shared database into memory.
func loadRows(ctx context.Context, path string) (map[string]*jsonRows, error) {
	conn, end, err := engine(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if _, err := conn.ExecContext(ctx, attach(path, "shared (READ_ONLY)")); err != nil {
		return nil, err
	}
	all := make(map[string]*jsonRows)
	for _, name := range apiDatasets() {
		statement, err := scripts.ReadFile("sql/api/" + name + ".sql")
		if err != nil {
			return nil, err
		}
		if all[name], err = readRows(ctx, conn, string(statement)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

func readRows(ctx context.Context, conn *sql.Conn, statement string) (*jsonRows, error) {
	rows, err := conn.QueryContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	r := &jsonRows{tenants: make(map[string]span)}
	for rows.Next() {
		var tenant sql.NullString
		var row sql.RawBytes
		if err := rows.Scan(&tenant, &row); err != nil {
			return nil, err
		}
		if len(r.ends) > 0 {
			r.text = append(r.text, ',')
		}
		r.text = append(r.text, row...)
		r.ends = append(r.ends, len(r.text))
		if !tenant.Valid {
			r.common = true
			continue
		}
		s, ok := r.tenants[tenant.String]
		if !ok {
			s.first = len(r.ends) - 1
		}
		s.last = len(r.ends)
		r.tenants[tenant.String] = s
	}
	return r, rows.Err()
}

func (r *jsonRows) all() span { return span{0, len(r.ends)} }

// encoded returns the rows of a span with commas between them.
func (r *jsonRows) encoded(s span) []byte {
	if s.first >= s.last {
		return nil
	}
	start := 0
	if s.first > 0 {
		start = r.ends[s.first-1] + 1
	}
	return r.text[start:r.ends[s.last-1]]
}
