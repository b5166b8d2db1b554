package setup

import (
	"slices"
	"strings"

	"usher/catalog"
	"usher/value"
)

// What columns are called, without gaps, in which a row says when and by whom it was deleted.
var (
	deletedAt = strings.Fields("deletedat deleteddate deletedon deletedtime deletedts deletets deletionts deletiondate deletiontime")
	deletedBy = strings.Fields("deletedby deleteby")
)

// deleted finds the columns by which rows are stamped instead of deleted; nil: there are none.
func deleted(t *table, ds *catalog.Dataset, stored func(*catalog.Column) string) (at, by *catalog.Column) {
	find := func(names []string, fits func(value.Scalar) bool) *catalog.Column {
		i := slices.IndexFunc(ds.Columns, func(c *catalog.Column) bool {
			return slices.Contains(names, strings.ReplaceAll(strings.ToLower(stored(c)), "_", "")) && c.Nullable && !c.Type.List && fits(c.Type.Scalar) && t.omitted[c.Name] == ""
		})
		if i < 0 {
			return nil
		}
		return ds.Columns[i]
	}
	at = find(deletedAt, func(s value.Scalar) bool { return s == value.Timestamp || s == value.LocalTimestamp || s == value.Date })
	if at == nil {
		return nil, nil
	}
	return at, find(deletedBy, func(s value.Scalar) bool { return s == value.String })
}
