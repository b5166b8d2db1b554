package plan

import (
	"slices"
	"strconv"
)

// inputAt is a place in the input: that of one row. It is spelled for errors only: of most rows nobody asks where they stand.
type inputAt struct {
	rows *inputRows
	row  int
}

// oneAt is the place of what stands alone.
func oneAt(text string) inputAt { return inputAt{&inputRows{each: []string{text}}, 0} }

// String spells it.
func (a inputAt) String() string {
	if a.rows.each != nil {
		return a.rows.each[a.row]
	}
	return a.rows.list + "." + strconv.Itoa(a.row)
}

// member spells the place of a member there, or of what gives a column its value: a link, for one, or the row itself where
// the row that it is nested in does.
func (a inputAt) member(name string) string {
	if slices.Contains(a.rows.filled, name) {
		return a.String()
	}
	if by, ok := a.rows.given[givenBy{a.row, name}]; ok {
		name = by
	}
	return a.String() + "." + name
}

// gives notes what of the row gives a column its value, where that is no member of the column's name.
func (a inputAt) gives(column, by string) {
	if a.rows.given == nil {
		a.rows.given = make(map[givenBy]string)
	}
	a.rows.given[givenBy{a.row, column}] = by
}

// inputRows are the places of rows: of those of one list, or of each.
type inputRows struct {
	list   string
	each   []string
	given  map[givenBy]string
	filled []string // columns that get their values of the row that these are nested in
}

// givenBy is a column of a row.
type givenBy struct {
	row    int
	column string
}

func (r *inputRows) at(row int) inputAt { return inputAt{r, row} }
