package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of one reply's text.
const (
	maxDepth = 100      // values inside values
	maxToken = 16 << 20 // bytes of one string, number or JSON value that is kept
)

// scanner reads JSON text strictly, token by token, from a stream. What its
// methods return is valid until the next call.
type scanner struct {
	from io.Reader // nil: the text is all in buf
	buf  []byte
	pos  int    // of the next byte to read
	keep int    // where a value begins that is being captured, or -1
	out  []byte // the last string that had escapes
	deep int
}

func (s *scanner) reset(from io.Reader) {
	if s.buf == nil {
		s.buf = make([]byte, 0, 64<<10)
	}
	s.from, s.buf, s.pos, s.keep, s.deep = from, s.buf[:0], 0, -1, 0
}

var (
	errText = errors.New("the reply is not JSON")
	errEnd  = fmt.Errorf("%w: it ends too early", errText)
)

// more reads more text and moves what is still needed, from start on, to the
// front of the buffer. It returns by how much that moved.
func (s *scanner) more(start int) (moved int, err error) {
	if s.from == nil {
		return 0, errEnd
	}
	moved = start
	if s.keep >= 0 {
		moved = min(moved, s.keep)
		s.keep -= moved
	}
	n := copy(s.buf, s.buf[moved:])
	s.buf, s.pos = s.buf[:n], s.pos-moved
	if n >= maxToken {
		return moved, fmt.Errorf("the reply holds a value of more than %d bytes", maxToken)
	}
	if n == cap(s.buf) {
		s.buf = slices.Grow(s.buf, n)
	}
	for range 100 {
		read, err := s.from.Read(s.buf[n:min(cap(s.buf), maxToken)])
		s.buf = s.buf[:n+read]
		switch {
		case read > 0:
			return moved, nil // an error comes again
		case err == io.EOF:
			return moved, errEnd
		case err != nil:
			return moved, err
		}
	}
	return moved, io.ErrNoProgress
}

// peek skips white space and returns the next byte without reading it.
func (s *scanner) peek() (byte, error) {
	for {
		for ; s.pos < len(s.buf); s.pos++ {
			if c := s.buf[s.pos]; c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
				return c, nil
			}
		}
		if _, err := s.more(s.pos); err != nil {
			return 0, err
		}
	}
}

// lineBreak skips white space and tells whether a line ended in it. At the end
// of the text it returns errEnd.
func (s *scanner) lineBreak() (bool, error) {
	broke := false
	for {
		for ; s.pos < len(s.buf); s.pos++ {
			switch s.buf[s.pos] {
			case '\n':
				broke = true
			case ' ', '\t', '\r':
			default:
				return broke, nil
			}
		}
		if _, err := s.more(s.pos); err != nil {
			return broke, err
		}
	}
}

func isEnd(err error) bool { return errors.Is(err, errEnd) }

// end checks that nothing follows.
func (s *scanner) end() error {
	switch _, err := s.peek(); {
	case err == nil:
		return fmt.Errorf("%w: something follows it", errText)
	case errors.Is(err, errEnd):
		return nil
	default:
		return err
	}
}

// into steps into an object or array.
func (s *scanner) into() error {
	s.pos++
	if s.deep++; s.deep > maxDepth {
		return fmt.Errorf("the reply is nested more than %d levels deep", maxDepth)
	}
	return nil
}

// member reads an object's next key and the colon, or its end.
func (s *scanner) member(first bool) (key []byte, ok bool, err error) {
	if ok, err = s.item(first, '}'); !ok || err != nil {
		return nil, false, err
	}
	if key, err = s.text(); err != nil {
		return nil, false, err
	}
	if s.pos < len(s.buf) && s.buf[s.pos] == ':' { // the key stays where it is
		s.pos++
		return key, true, nil
	}
	key = bytes.Clone(key)
	if c, err := s.peek(); err != nil || c != ':' {
		return nil, false, firstOf(err, errText)
	}
	s.pos++
	return key, true, nil
}

// item reads up to an array's or object's next item, or its end.
func (s *scanner) item(first bool, end byte) (bool, error) {
	c, err := s.peek()
	switch {
	case err != nil:
		return false, err
	case c == end:
		s.pos++
		s.deep--
		return false, nil
	case first:
		return true, nil
	case c != ',':
		return false, errText
	}
	s.pos++
	c, err = s.peek()
	if err == nil && c == end {
		err = errText
	}
	return err == nil, err
}

// text reads a string.
func (s *scanner) text() ([]byte, error) {
	if c, err := s.peek(); err != nil || c != '"' {
		return nil, firstOf(err, errText)
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
				return nil, errText
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

var errUTF8 = errors.New("the reply holds text that is not UTF-8")

func (s *scanner) unquoted(raw []byte, escaped, high bool) ([]byte, error) {
	if high && !utf8.Valid(raw) {
		return nil, errUTF8
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
				return nil, errText
			}
			s.out = append(s.out, "\"\\/\b\f\n\r\t"[j])
			continue
		}
		r, ok := unit(raw)
		if !ok {
			return nil, errText
		}
		raw = raw[4:]
		if utf16.IsSurrogate(r) {
			if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
				return nil, errUTF8
			}
			low, ok := unit(raw[2:])
			if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
				return nil, errUTF8
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

// number reads a number as it is written.
func (s *scanner) number() ([]byte, error) {
	start := s.pos
	i := start
	for {
		for i < len(s.buf) {
			if c := s.buf[i]; (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E' {
				s.pos = i
				if out := s.buf[start:i]; isNumber(out) {
					return out, nil
				}
				return nil, errText
			}
			i++
		}
		moved, err := s.more(start)
		if errors.Is(err, errEnd) { // a number may end the text
			s.pos = i - moved
			if out := s.buf[start-moved : i-moved]; isNumber(out) {
				return out, nil
			}
			return nil, errText
		}
		if err != nil {
			return nil, err
		}
		start, i = start-moved, i-moved
	}
}

// isNumber checks JSON's grammar of numbers.
func isNumber(t []byte) bool {
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

// word reads true, false or null.
func (s *scanner) word(word string) error {
	for len(s.buf)-s.pos < len(word) {
		if _, err := s.more(s.pos); err != nil {
			return err
		}
	}
	if string(s.buf[s.pos:s.pos+len(word)]) != word {
		return errText
	}
	s.pos += len(word)
	return nil
}

// null reads a null if there is one.
func (s *scanner) null() (bool, error) {
	c, err := s.peek()
	if err != nil || c != 'n' {
		return false, err
	}
	return true, s.word("null")
}

// skip reads a value of any kind.
func (s *scanner) skip() error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	switch c {
	case '{', '[':
		return s.skipInside(c == '{')
	case '"':
		_, err = s.text()
	case 't':
		err = s.word("true")
	case 'f':
		err = s.word("false")
	case 'n':
		err = s.word("null")
	default:
		_, err = s.number()
	}
	return err
}

func (s *scanner) skipInside(object bool) error {
	err := s.into()
	for first := true; err == nil; first = false {
		var ok bool
		if object {
			_, ok, err = s.member(first)
		} else {
			ok, err = s.item(first, ']')
		}
		if !ok {
			return err
		}
		err = s.skip()
	}
	return err
}

// raw reads a value of any kind and returns its text.
func (s *scanner) raw() ([]byte, error) {
	if _, err := s.peek(); err != nil {
		return nil, err
	}
	outer := s.keep // text from here on is needed by somebody else
	if outer < 0 {
		s.keep = s.pos
	}
	start := s.pos - s.keep
	err := s.skip()
	out := s.buf[s.keep+start : s.pos]
	if outer < 0 {
		s.keep = -1
	}
	return out, err
}

// firstOf is the first of two errors that is one.
func firstOf(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
