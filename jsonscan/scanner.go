// Package jsonscan owns the reading of JSON, from a stream or a text: token by token,
// strictly, in memory that does not grow with a stream; and of its values as
// cells of the types of columns. It refuses what RFC 8259 does not call JSON, text
// that is not UTF-8, nesting and tokens beyond its bounds, and every value that is
// not of its column's type. It knows no rows: where values stand is the caller's.
package jsonscan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Bounds of one reply's text.
const (
	maxDepth = 100      // values inside values
	MaxToken = 16 << 20 // bytes of one string, number or JSON value that is kept
)

// Scanner reads JSON text strictly, token by token, from a stream. What its
// methods return is valid until the next call.
type Scanner struct {
	from io.Reader // nil: the text is all in buf
	buf  []byte
	pos  int    // of the next byte to read
	keep int    // where a value begins that is being captured, or -1
	out  []byte // the last string that had escapes
	deep int
	mark int // how deep the text was that Mark marked
}

// Over scans text that is all there.
func Over(text []byte) *Scanner { return &Scanner{buf: text, keep: -1} }

// Reset begins to read a stream.
func (s *Scanner) Reset(from io.Reader) {
	if s.buf == nil {
		s.buf = make([]byte, 0, 64<<10)
	}
	s.from, s.buf, s.pos, s.keep, s.deep = from, s.buf[:0], 0, -1, 0
}

// ErrText is the error of text that is not JSON, ErrUTF8 that of strings which
// are no text.
var (
	ErrText = errors.New("the reply is not JSON")
	ErrUTF8 = errors.New("the reply holds text that is not UTF-8")

	errEnd = fmt.Errorf("%w: it ends too early", ErrText)
)

// more reads more text and moves what is still needed, from start on, to the
// front of the buffer. It returns by how much that moved.
func (s *Scanner) more(start int) (moved int, err error) {
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
	if n >= MaxToken {
		return moved, fmt.Errorf("the reply holds a value of more than %d bytes", MaxToken)
	}
	if n == cap(s.buf) {
		s.buf = slices.Grow(s.buf, n)
	}
	for range 100 {
		read, err := s.from.Read(s.buf[n:min(cap(s.buf), MaxToken)])
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

// Peek skips white space and returns the next byte without reading it.
func (s *Scanner) Peek() (byte, error) {
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

// Expect skips white space and checks that a byte is next; if it is not, the error
// is otherwise.
func (s *Scanner) Expect(next byte, otherwise error) error {
	c, err := s.Peek()
	if err == nil && c != next {
		err = otherwise
	}
	return err
}

// LineBreak skips white space and tells whether a line ended in it. At the end
// of the text it returns errEnd.
func (s *Scanner) LineBreak() (bool, error) {
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

// IsEnd tells that the text is over.
func IsEnd(err error) bool { return errors.Is(err, errEnd) }

// End checks that nothing follows.
func (s *Scanner) End() error {
	switch _, err := s.Peek(); {
	case err == nil:
		return fmt.Errorf("%w: something follows it", ErrText)
	case errors.Is(err, errEnd):
		return nil
	default:
		return err
	}
}

// Into steps into an object or array.
func (s *Scanner) Into() error {
	s.pos++
	if s.deep++; s.deep > maxDepth {
		return fmt.Errorf("the reply is nested more than %d levels deep", maxDepth)
	}
	return nil
}

// Member reads an object's next key and the colon, or its end.
func (s *Scanner) Member(first bool) (key []byte, ok bool, err error) {
	if ok, err = s.Item(first, '}'); !ok || err != nil {
		return nil, false, err
	}
	if key, err = s.Text(); err != nil {
		return nil, false, err
	}
	if s.pos < len(s.buf) && s.buf[s.pos] == ':' { // the key stays where it is
		s.pos++
		return key, true, nil
	}
	key = bytes.Clone(key)
	if c, err := s.Peek(); err != nil || c != ':' {
		return nil, false, firstOf(err, ErrText)
	}
	s.pos++
	return key, true, nil
}

// Item reads up to an array's or object's next item, or its end.
func (s *Scanner) Item(first bool, end byte) (bool, error) {
	c, err := s.Peek()
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
		return false, ErrText
	}
	s.pos++
	c, err = s.Peek()
	if err == nil && c == end {
		err = ErrText
	}
	return err == nil, err
}

// firstOf is the first of two errors that is one.
func firstOf(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
