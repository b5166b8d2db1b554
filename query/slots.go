package query

import (
	"strconv"

	"usher/slot"
)

// AppendShape writes a value but for the texts of its numbers and texts, which are
// added to the inputs: values of one shape are told apart by their inputs only.
func AppendShape(dst []byte, v Value, in slot.Inputs) ([]byte, slot.Inputs) {
	switch v := v.(type) {
	case Number:
		return append(dst, 'n'), append(in, string(v))
	case Text:
		return append(dst, 't'), append(in, string(v))
	case List:
		dst = append(strconv.AppendInt(append(dst, 'l'), int64(len(v)), 10), ':')
		for _, item := range v {
			dst, in = AppendShape(dst, item, in)
		}
		return dst, in
	case Object:
		dst = append(strconv.AppendInt(append(dst, 'o'), int64(len(v)), 10), ':')
		for _, m := range v {
			dst, in = AppendShape(appendSized(dst, m.Name), m.Value, in)
		}
		return dst, in
	}
	return AppendKey(dst, v), in
}

// Slotted is the value with slots in the places of its numbers and texts, numbered
// from first on as AppendShape adds them to the inputs. It returns the next number.
func Slotted(v Value, slots *slot.Slots, first int) (Value, int) {
	switch v := v.(type) {
	case Number:
		return Slot{Term: slots.At(first), Number: true}, first + 1
	case Text:
		return Slot{Term: slots.At(first)}, first + 1
	case List:
		out := make(List, len(v))
		for i, item := range v {
			out[i], first = Slotted(item, slots, first)
		}
		return out, first
	case Object:
		out := make(Object, len(v))
		for i, m := range v {
			out[i].Name = m.Name
			out[i].Value, first = Slotted(m.Value, slots, first)
		}
		return out, first
	}
	return v, first
}

// Look is the value as it is now. What is made of it holds for these values only.
func Look(v Value) Value {
	return filled(v, func(s Slot) string { return s.Term.Text() })
}

// Filled is the value for other inputs.
func Filled(v Value, in slot.Inputs) (_ Value, err error) {
	v = filled(v, func(s Slot) string {
		text, failed := s.Term.Of(in)
		if failed != nil {
			err = failed
		}
		return text
	})
	return v, err
}

func filled(v Value, text func(Slot) string) Value {
	switch v := v.(type) {
	case Slot:
		if v.Number {
			return Number(text(v))
		}
		return Text(text(v))
	case List:
		if !holdsSlot(v) {
			return v
		}
		out := make(List, len(v))
		for i, item := range v {
			out[i] = filled(item, text)
		}
		return out
	case Object:
		if !holdsSlot(v) {
			return v
		}
		out := make(Object, len(v))
		for i, m := range v {
			out[i] = Member{Name: m.Name, Value: filled(m.Value, text)}
		}
		return out
	}
	return v
}

func holdsSlot(v Value) bool {
	switch v := v.(type) {
	case Slot:
		return true
	case List:
		for _, item := range v {
			if holdsSlot(item) {
				return true
			}
		}
	case Object:
		for _, m := range v {
			if holdsSlot(m.Value) {
				return true
			}
		}
	}
	return false
}
