package plan

import (
	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/slot"
	"usher/value"
)

// A list that comes later is one argument, so that a plan holds for lists of any
// length.

// fewItems are looked through for each row by an engine that makes no index of an
// argument.
const fewItems = 64

// takesLists tells whether what an expression is compared with may be one argument: a
// column that its source keeps as the scalar itself.
func (lb *levelBuilder) takesLists(e Expr, list query.SlotList) bool {
	if e.op != Column || !listable(e.typ) {
		return false
	}
	r := &lb.l.refs[e.ref]
	plain := false
	for _, f := range r.columns {
		plain = plain || f.Name == e.name && f.Form == value.Plain
	}
	switch r.target.Kind {
	case catalog.Postgres:
		return plain
	case catalog.DuckDB:
		return plain && list.Term.Says("has few items", func(text string) string {
			if len(query.SplitTexts(text)) <= fewItems {
				return "few"
			}
			return "many"
		}) == "few"
	case catalog.API:
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
	name, read := "texts as "+t.Scalar.String(), readTexts[t.Scalar]
	if list.Number {
		name, read = "numbers as "+t.Scalar.String(), readNumbers[t.Scalar]
	}
	term, err := list.Term.Then(name, read)
	if err != nil {
		return value.Value{}, err
	}
	return value.LaterList(t, term), nil
}

// readTexts and readNumbers read lists, by scalar: each value once.
var (
	readTexts   = readingLists(readText)
	readNumbers = readingLists(readNumber)
)

func readingLists(one map[value.Scalar]slot.Step) map[value.Scalar]slot.Step {
	steps := make(map[value.Scalar]slot.Step)
	for scalar, read := range one {
		steps[scalar] = func(joined string, in slot.Inputs) (string, error) {
			texts := query.SplitTexts(joined)
			if len(texts) > maxItems {
				return "", fault.New(fault.TooComplex, "a list of %d values is too long; at most %d are allowed", len(texts), maxItems)
			}
			seen := make(map[string]bool, len(texts))
			out := texts[:0]
			for _, text := range texts {
				text, err := read(text, in)
				if err != nil {
					return "", err
				}
				if !seen[text] {
					seen[text] = true
					out = append(out, text)
				}
			}
			return query.JoinTexts(out), nil
		}
	}
	return steps
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
