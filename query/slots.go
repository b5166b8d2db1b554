package query

import (
	"strconv"
	"strings"

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
		if number, alike := v.alike(); alike {
			kind := byte('T')
			if number {
				kind = 'N'
			}
			return append(dst, kind), append(in, JoinTexts(v.texts()))
		}
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
		if number, alike := v.alike(); alike {
			return SlotList{Term: slots.At(first), Number: number}, first + 1
		}
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
	return filled(v, func(t *slot.Term) string { return t.Text() })
}

// Filled is the value for other inputs.
func Filled(v Value, in slot.Inputs) (_ Value, err error) {
	v = filled(v, func(t *slot.Term) string {
		text, failed := t.Of(in)
		if failed != nil {
			err = failed
		}
		return text
	})
	return v, err
}

func filled(v Value, text func(*slot.Term) string) Value {
	switch v := v.(type) {
	case Slot:
		return scalar(text(v.Term), v.Number)
	case SlotList:
		texts := SplitTexts(text(v.Term))
		out := make(List, len(texts))
		for i, t := range texts {
			out[i] = scalar(t, v.Number)
		}
		return out
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

func holdsSlot(v Value) bool { return FirstTerm(v) != nil }

// FirstTerm is that of the first slot in a value; nil: nothing of it comes later.
func FirstTerm(v Value) *slot.Term {
	var inside []Value
	switch v := v.(type) {
	case Slot:
		return v.Term
	case SlotList:
		return v.Term
	case List:
		inside = v
	case Object:
		for _, m := range v {
			if term := FirstTerm(m.Value); term != nil {
				return term
			}
		}
	}
	for _, item := range inside {
		if term := FirstTerm(item); term != nil {
			return term
		}
	}
	return nil
}

func scalar(text string, number bool) Value {
	if number {
		return Number(text)
	}
	return Text(text)
}

// alike tells a list that has items, all of them numbers or all of them texts.
func (l List) alike() (number, alike bool) {
	texts, numbers := 0, 0
	for _, item := range l {
		switch item.(type) {
		case Text:
			texts++
		case Number:
			numbers++
		}
	}
	return numbers > 0, len(l) > 0 && (texts == len(l) || numbers == len(l))
}

func (l List) texts() []string {
	out := make([]string, len(l))
	for i, item := range l {
		switch item := item.(type) {
		case Text:
			out[i] = string(item)
		case Number:
			out[i] = string(item)
		}
	}
	return out
}

// JoinTexts is one text for many, another one for others. SplitTexts takes it apart.
func JoinTexts(texts []string) string {
	size := 0
	for _, t := range texts {
		size += len(t) + 8
	}
	dst := make([]byte, 0, size)
	for _, t := range texts {
		dst = appendSized(dst, t)
	}
	return string(dst)
}

// SplitTexts are the texts that JoinTexts has made one of.
func SplitTexts(joined string) []string {
	out := make([]string, 0, min(strings.Count(joined, ":"), len(joined)/2))
	for joined != "" {
		size, rest, _ := strings.Cut(joined, ":")
		n, err := strconv.Atoi(size)
		if err != nil || n < 0 || n > len(rest) {
			return out // nobody else makes such texts
		}
		out, joined = append(out, rest[:n]), rest[n:]
	}
	return out
}
