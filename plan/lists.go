package plan

import (
	"slices"
	"strconv"
	"strings"

	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/slot"
	"usher/value"
)

// A list that comes later is one argument, so that a plan holds for lists of any
// length.

// takesLists tells whether what an expression is compared with may be one argument: a
// column that its source keeps as the scalar itself, or as text that it folds.
func (lb *levelBuilder) takesLists(e Expr) bool {
	if e.op != Column {
		return false
	}
	r, t := &lb.l.refs[e.ref], e.typ
	i := slices.IndexFunc(r.columns, func(f Field) bool { return f.Name == e.name })
	if i < 0 || t.List || r.target.Kind == catalog.API {
		return false
	}
	switch r.columns[i].Form { //nolint:exhaustive // the others are read as something else
	case value.Folded:
		return t.Folded && t.Scalar == value.String && r.columns[i].Native != ""
	case value.Plain:
		return listable(t) || t.Scalar == value.Enum || t.Scalar == value.Decimal && (t.Scale >= 0 || r.target.Kind == catalog.Postgres)
	}
	return false
}

// listable tells a type whose values are bound as what they are.
func listable(t value.Type) bool {
	switch t.Scalar {
	case value.Int, value.BigInt, value.Float, value.String, value.ID, value.UUID, value.Date, value.Timestamp, value.LocalTimestamp:
		return !t.List && !t.Folded
	case value.Decimal, value.Boolean, value.Time, value.Interval, value.JSON, value.Bytes, value.Enum:
	}
	return false
}

// listLater reads a list of values that comes later.
func listLater(t value.Type, list query.SlotList) (value.Value, error) {
	name, given := "texts as ", asText
	if list.Number {
		name, given = "numbers as ", asNumber
	}
	switch name += t.Scalar.String(); t.Scalar { //nolint:exhaustive // nothing else of other types says how they are read
	case value.Decimal:
		name += " of scale " + strconv.Itoa(t.Scale)
	case value.Enum:
		name += " of " + strings.Join(t.Labels, ",")
	}
	term, err := list.Term.Then(name, readingLists(t, given))
	if err != nil {
		return value.Value{}, err
	}
	return value.LaterList(t, term), nil
}

// readingLists reads lists of a type: each value once, and of decimals those that the column can
// be equal to.
func readingLists(t value.Type, given func(text string) query.Value) slot.Step {
	return func(joined string, _ slot.Inputs) (string, error) {
		texts := query.SplitTexts(joined)
		if len(texts) > maxItems {
			return "", fault.New(fault.TooComplex, "a list of %d values is too long; at most %d are allowed", len(texts), maxItems)
		}
		seen := make(map[string]bool, len(texts))
		out := texts[:0]
		for _, text := range texts {
			v, err := typedNow(t, given(text))
			if err != nil {
				return "", err
			}
			if t.Scalar == value.Decimal {
				if floor, how := fitted(v, t.Scale); how == exactly {
					v = floor
				} else {
					continue
				}
			}
			if text := v.Text(); !seen[text] {
				seen[text] = true
				out = append(out, text)
			}
		}
		return query.JoinTexts(out), nil
	}
}

// parameterLater is a parameter that is a list which comes later, as an operand; nil
// for types of which an operand is written in another way than it is read.
func parameterLater(t value.Type, list query.SlotList) (*query.SlotList, error) {
	if !listable(t.Elem()) || t.Scalar == value.Timestamp || t.Scalar == value.LocalTimestamp {
		return nil, nil //nolint:nilnil // neither is an error
	}
	v, err := listLater(t.Elem(), list)
	if err != nil {
		return nil, err
	}
	term, open := v.Term()
	if !open {
		return nil, nil //nolint:nilnil // it was looked at
	}
	return &query.SlotList{Term: term, Number: t.Elem().Numeric()}, nil
}
