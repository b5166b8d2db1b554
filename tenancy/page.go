package tenancy

// Page asks for a part of a list.
type Page struct {
	After string // the Next of the page before; empty: from the beginning
	Limit int    // default 50, at most 500
}

func (p Page) limit() (int, error) {
	switch {
	case p.Limit < 0 || p.Limit > 500:
		return 0, unusable("a page has 1 to 500 rows")
	case p.Limit == 0:
		return 50, nil
	}
	return p.Limit, nil
}

// cut makes a page of rows, of which one more than the limit was asked for.
func cut[T any](rows []T, limit int, key func(T) string) (page []T, next string) {
	if len(rows) <= limit {
		return rows, ""
	}
	return rows[:limit], key(rows[limit-1])
}
