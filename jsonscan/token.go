package jsonscan

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Text reads a string.
func (s *Scanner) Text() ([]byte, error) {
	if c, err := s.Peek(); err != nil || c != '"' {
		return nil, firstOf(err, ErrText)
	}
	start := s.pos + 1
	i, escaped, high := start, false, false
	for {
		for i < len(s.buf) {
			switch c := s.buf[i]; {
			case c == '"':
				s.pos = i + 1
				return s.unquoted(s.buf[start:i], escaped, high)
			case c == '\\':
				escaped = true
				i++
			case c < ' ':
				return nil, ErrText
			case c >= utf8.RuneSelf:
				high = true
			}
			i++
		}
		moved, err := s.more(start - 1)
		if err != nil {
			return nil, err
		}
		start, i = start-moved, i-moved
	}
}

func (s *Scanner) unquoted(raw []byte, escaped, high bool) ([]byte, error) {
	if high && !utf8.Valid(raw) {
		return nil, ErrUTF8
	}
	if !escaped {
		return raw, nil
	}
	s.out = s.out[:0]
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			s.out = append(s.out, raw...)
			return s.out, nil
		}
		s.out = append(s.out, raw[:i]...)
		kind := raw[i+1] // text has seen to it that there is one
		raw = raw[i+2:]
		if kind != 'u' {
			j := bytes.IndexByte([]byte(`"\/bfnrt`), kind)
			if j < 0 {
				return nil, ErrText
			}
			s.out = append(s.out, "\"\\/\b\f\n\r\t"[j])
			continue
		}
		r, ok := unit(raw)
		if !ok {
			return nil, ErrText
		}
		raw = raw[4:]
		if utf16.IsSurrogate(r) {
			if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
				return nil, ErrUTF8
			}
			low, ok := unit(raw[2:])
			if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
				return nil, ErrUTF8
			}
			raw = raw[6:]
		}
		s.out = utf8.AppendRune(s.out, r)
	}
}

// unit reads the four digits of a \u escape.
func unit(raw []byte) (rune, bool) {
	if len(raw) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(raw[:4]), 16, 16)
	return rune(n), err == nil
}

// Number reads a number as it is written.
func (s *Scanner) Number() ([]byte, error) {
	start := s.pos
	i := start
	for {
		for i < len(s.buf) {
			if c := s.buf[i]; (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E' {
				s.pos = i
				if out := s.buf[start:i]; IsNumber(out) {
					return out, nil
				}
				return nil, ErrText
			}
			i++
		}
		moved, err := s.more(start)
		if errors.Is(err, errEnd) { // a number may end the text
			s.pos = i - moved
			if out := s.buf[start-moved : i-moved]; IsNumber(out) {
				return out, nil
			}
			return nil, ErrText
		}
		if err != nil {
			return nil, err
		}
		start, i = start-moved, i-moved
	}
}

// IsNumber checks JSON's grammar of numbers.
func IsNumber(t []byte) bool {
	digits := func() bool {
		n := 0
		for n < len(t) && t[n] >= '0' && t[n] <= '9' {
			n++
		}
		t = t[n:]
		return n > 0
	}
	if len(t) > 0 && t[0] == '-' {
		t = t[1:]
	}
	if len(t) > 1 && t[0] == '0' && t[1] >= '0' && t[1] <= '9' || !digits() {
		return false
	}
	if len(t) > 0 && t[0] == '.' {
		if t = t[1:]; !digits() {
			return false
		}
	}
	if len(t) > 0 && (t[0] == 'e' || t[0] == 'E') {
		if t = t[1:]; len(t) > 0 && (t[0] == '+' || t[0] == '-') {
			t = t[1:]
		}
		if !digits() {
			return false
		}
	}
	return len(t) == 0
}

// Word reads true, false or null.
func (s *Scanner) Word(word string) error {
	for len(s.buf)-s.pos < len(word) {
		if _, err := s.more(s.pos); err != nil {
			return err
		}
	}
	if string(s.buf[s.pos:s.pos+len(word)]) != word {
		return ErrText
	}
	s.pos += len(word)
	return nil
}

// Null reads a null if there is one.
func (s *Scanner) Null() (bool, error) {
	c, err := s.Peek()
	if err != nil || c != 'n' {
		return false, err
	}
	return true, s.Word("null")
}
