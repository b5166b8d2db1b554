package plan

import "strconv"

// inputAt is a place in the input. It is spelled for errors only: of most rows nobody asks where they stand.
type inputAt struct {
	text string
	row  int // of the list there; oneThere: it is none
}

const oneThere = -1

// String spells it.
func (a inputAt) String() string {
	if a.row == oneThere {
		return a.text
	}
	return a.text + "." + strconv.Itoa(a.row)
}

// member spells the place of a member there.
func (a inputAt) member(name string) string { return a.String() + "." + name }

// inputRows are the places of rows: of those of one list, or of each.
type inputRows struct {
	list string
	each []string
}

func (r inputRows) at(row int) inputAt {
	if r.each != nil {
		return inputAt{r.each[row], oneThere}
	}
	return inputAt{r.list, row}
}
