package value

import (
	"fmt"
	"strconv"
	"strings"
)

// What bounds JSON that somebody sends. PostgreSQL keeps numbers of a jsonb column as they are and writes all their digits
// whenever it reads them, so a few bytes of an exponent could cost everybody's database gigabytes at each reading. What is taken is
// taken again as it is written then: exponents count as the digits that they stand for.
const (
	maxJSONDigits  = 1000
	maxJSONNesting = 100 // which every door to a column reads, and no more
)

// jsonSize is how many bytes JSON has when its numbers are written out, without exponents. The text is canonical.
// The error says what is wrong with a number or with its nesting, and may be shown.
func jsonSize(text string) (int, error) {
	size, nesting := len(text), 0
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case b == '[' || b == '{':
			if nesting++; nesting > maxJSONNesting {
				return 0, fmt.Errorf("JSON may be nested %d levels deep", maxJSONNesting)
			}
		case b == ']' || b == '}':
			nesting--
		case b == '-' || b >= '0' && b <= '9':
			end := i + 1
			for end < len(text) && strings.IndexByte("0123456789.eE+-", text[end]) >= 0 {
				end++
			}
			more, err := writtenOut(text[i:end])
			if err != nil {
				return 0, err
			}
			size += more
			i = end - 1
		}
	}
	return size, nil
}

// writtenOut is by how many bytes a number is longer without its exponent, at most.
func writtenOut(number string) (int, error) {
	mantissa, n := number, 0
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		var err error
		if n, err = strconv.Atoi(number[i+1:]); err != nil || n > maxJSONDigits || n < -maxJSONDigits {
			n = maxJSONDigits
		}
		mantissa = number[:i]
	}
	if n < 0 {
		n = -n
	}
	if digits := len(strings.TrimPrefix(mantissa, "-")) - strings.Count(mantissa, "."); digits+n > maxJSONDigits {
		return 0, fmt.Errorf("a number in JSON may have %d digits when it is written out, without an exponent", maxJSONDigits)
	}
	return n, nil
}

func parseJSON(t Type, text string) (string, error) {
	out, err := CanonicalJSON(nil, []byte(text))
	if err != nil {
		return "", expected(t, "JSON text")
	}
	canonical := string(out)
	size, err := jsonSize(canonical)
	if err == nil {
		err = boundJSON(size)
	}
	return canonical, err
}

// CheckJSONList refuses a list of JSON that is together more than one value of JSON may be: it is one cell of a row.
func CheckJSONList(t Type, items []Value) error {
	if t.Scalar != JSON {
		return nil
	}
	total := 0
	for _, item := range items {
		size, err := jsonSize(item.text)
		if err != nil {
			return err
		}
		total += size
	}
	return boundJSON(total)
}

func boundJSON(size int) error {
	if size > maxText {
		return fmt.Errorf("JSON of %d bytes, its numbers written out, is too long; at most %d are allowed", size, maxText)
	}
	return nil
}
