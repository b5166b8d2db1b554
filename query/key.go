package query

import "strconv"

// AppendKey writes a value so that different values are different texts. It is
// for keys of caches; nobody reads it back.
func AppendKey(dst []byte, v Value) []byte {
	switch v := v.(type) {
	case Bool:
		return append(strconv.AppendBool(append(dst, 'b'), bool(v)), ';')
	case Number:
		return appendSized(append(dst, 'n'), string(v))
	case Text:
		return appendSized(append(dst, 't'), string(v))
	case Enum:
		return appendSized(append(dst, 'e'), string(v))
	case List:
		dst = append(strconv.AppendInt(append(dst, 'l'), int64(len(v)), 10), ':')
		for _, item := range v {
			dst = AppendKey(dst, item)
		}
		return dst
	case Object:
		dst = append(strconv.AppendInt(append(dst, 'o'), int64(len(v)), 10), ':')
		for _, m := range v {
			dst = AppendKey(appendSized(dst, m.Name), m.Value)
		}
		return dst
	case Null:
		return append(dst, '0')
	case Slot, SlotList:
		return AppendKey(dst, Look(v))
	}
	return append(dst, '-') // no value at all
}

// appendSized begins with the length, so that no text runs into the next.
func appendSized(dst []byte, s string) []byte {
	return append(append(strconv.AppendInt(dst, int64(len(s)), 10), ':'), s...)
}
