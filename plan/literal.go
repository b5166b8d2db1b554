package plan

import (
	"fmt"
	"strconv"

	"usher/fault"
	"usher/query"
	"usher/slot"
	"usher/value"
)

// typed reads a value as a literal of a scalar type. The error says what was
// expected and repeats nothing but the caller's own words.
func typed(t value.Type, v query.Value) (value.Value, error) {
	switch later := v.(type) {
	case query.Slot:
		return typedLater(t, later)
	case query.SlotList:
		return typedNow(t, query.Look(later))
	}
	return typedNow(t, v)
}

func typedNow(t value.Type, v query.Value) (value.Value, error) {
	text, err := textFor(&t, v)
	if err != nil {
		return value.Value{}, err
	}
	return value.Parse(t, text)
}

// textFor is the text of what was written, if that may be a value of the type.
func textFor(t *value.Type, v query.Value) (string, error) {
	switch v := v.(type) {
	case query.Null:
		return "", fmt.Errorf("null is no value to compare with; use isNull")
	case query.Bool:
		if t.Scalar != value.Boolean && t.Scalar != value.JSON {
			return "", mismatch(*t, "a boolean")
		}
		return strconv.FormatBool(bool(v)), nil
	case query.Number:
		if !t.Numeric() && t.Scalar != value.JSON && t.Scalar != value.ID {
			return "", mismatch(*t, "a number")
		}
		if t.Scalar == value.BigInt {
			return value.PlainBigInt(string(v)), nil
		}
		return string(v), nil
	case query.Text:
		switch t.Scalar { //nolint:exhaustive // all else is text
		case value.Int, value.Float, value.Boolean:
			return "", mismatch(*t, "a string")
		case value.JSON:
			return string(value.AppendQuoted(nil, []byte(v))), nil
		default:
			return string(v), nil
		}
	case query.Enum:
		if t.Scalar != value.Enum {
			return "", mismatch(*t, "an enum value")
		}
		return string(v), nil
	case query.List, query.Object:
		if t.Scalar != value.JSON {
			return "", mismatch(*t, "a list or an object")
		}
		return string(query.AppendJSON(nil, v)), nil
	}
	return "", mismatch(*t, "nothing")
}

// spelled tells types whose values statements are written by: labels, intervals and JSON.
// All others are arguments.
func spelled(t value.Type) bool {
	return t.Scalar == value.Enum || t.Scalar == value.Interval || t.Scalar == value.JSON
}

// typedLater reads a value that comes later.
func typedLater(t value.Type, v query.Slot) (value.Value, error) {
	if spelled(t) {
		return typedNow(t, query.Look(v))
	}
	name, read := "text as "+t.Scalar.String(), readText[t.Scalar]
	if v.Number {
		name, read = "number as "+t.Scalar.String(), readNumber[t.Scalar]
	}
	term, err := v.Term.Then(name, read)
	if err != nil {
		return value.Value{}, err
	}
	return value.Later(t, term), nil
}

// readText and readNumber read values that come later, by scalar: nothing else of a
// type says how they are read.
var (
	readText   = reading(asText)
	readNumber = reading(asNumber)
)

func asText(text string) query.Value   { return query.Text(text) }
func asNumber(text string) query.Value { return query.Number(text) }

func reading(given func(text string) query.Value) map[value.Scalar]slot.Step {
	steps := make(map[value.Scalar]slot.Step)
	for scalar := value.Int; scalar < value.Enum; scalar++ {
		t := value.Of(scalar)
		steps[scalar] = func(text string, _ slot.Inputs) (string, error) {
			read, err := typedNow(t, given(text))
			return read.Text(), err
		}
	}
	return steps
}

func mismatch(t value.Type, got string) error {
	return fmt.Errorf("expected %s, got %s", typeOf(t.Elem()), got)
}

// arguments are the arguments of a field.
type arguments query.Object

// get is an argument as it is now: only conditions leave open what they compare with.
func (a arguments) get(name string) (query.Value, bool) {
	v, ok := a.open(name)
	return query.Look(v), ok
}

// open is an argument with what comes later in it.
func (a arguments) open(name string) (query.Value, bool) { return query.Object(a).Get(name) }

// integer reads an argument that counts rows.
func (a arguments) integer(name string) (int, bool, error) {
	v, ok := a.get(name)
	if !ok {
		return 0, false, nil
	}
	number, isNumber := v.(query.Number)
	n, err := strconv.ParseInt(string(number), 10, 32)
	if !isNumber || err != nil || n < 0 {
		return 0, false, fault.New(fault.BadUserInput, "%s must be a whole number from 0 to 2147483647", name)
	}
	return int(n), true, nil
}

// object reads an argument that is an input object; absent is empty, null is
// an error: it would read as "no restriction".
func (a arguments) object(name string) (query.Object, bool, error) {
	v, ok := a.get(name)
	return asObject(name, v, ok)
}

// condition is object for where and having, which leave open what they compare with.
func (a arguments) condition(name string) (query.Object, bool, error) {
	v, ok := a.open(name)
	return asObject(name, v, ok)
}

func asObject(name string, v query.Value, ok bool) (query.Object, bool, error) {
	if !ok {
		return nil, false, nil
	}
	o, isObject := v.(query.Object)
	if !isObject {
		return nil, false, fault.New(fault.BadUserInput, "%s is null; leave it out to ask without it", name)
	}
	return o, true, nil
}

// list reads an argument that is a list; one object stands for a list of it.
func (a arguments) list(name string) (query.List, error) {
	v, ok := a.get(name)
	if !ok {
		return nil, nil
	}
	switch v := v.(type) {
	case query.List:
		return v, nil
	case query.Object:
		return query.List{v}, nil
	}
	return nil, fault.New(fault.BadUserInput, "%s is null; leave it out to ask without it", name)
}

// orders reads the orderBy argument. A page after a position compares each term
// with those before it.
func (a arguments) orders() (query.List, error) {
	list, err := a.list("orderBy")
	if len(list) > maxOrders {
		return nil, fault.New(fault.TooComplex, "orderBy names %d fields; at most %d are allowed", len(list), maxOrders)
	}
	return list, err
}

// zone reads the timezone argument; the grant's zone stands in for it.
func (a arguments) zone(fallback string) (string, error) {
	v, ok := a.get("timezone")
	if !ok {
		return fallback, nil
	}
	text, isText := v.(query.Text)
	if !isText {
		return "", fault.New(fault.BadUserInput, "timezone must be an IANA name such as Europe/Madrid")
	}
	name, err := zoneName(string(text))
	if err != nil {
		return "", fault.New(fault.BadUserInput, "%v", err)
	}
	return name, nil
}
