package jsonscan

// Skip reads a value of any kind.
func (s *Scanner) Skip() error {
	c, err := s.Peek()
	if err != nil {
		return err
	}
	switch c {
	case '{', '[':
		return s.skipInside(c == '{')
	case '"':
		_, err = s.Text()
	case 't':
		err = s.Word("true")
	case 'f':
		err = s.Word("false")
	case 'n':
		err = s.Word("null")
	default:
		_, err = s.Number()
	}
	return err
}

func (s *Scanner) skipInside(object bool) error {
	err := s.Into()
	for first := true; err == nil; first = false {
		var ok bool
		if object {
			_, ok, err = s.Member(first)
		} else {
			ok, err = s.Item(first, ']')
		}
		if !ok {
			return err
		}
		err = s.Skip()
	}
	return err
}

// Raw reads a value of any kind and returns its text.
func (s *Scanner) Raw() ([]byte, error) {
	if _, err := s.Peek(); err != nil {
		return nil, err
	}
	outer := s.keep // text from here on is marked
	if outer < 0 {
		s.keep = s.pos
	}
	start := s.pos - s.keep
	err := s.Skip()
	out := s.buf[s.keep+start : s.pos]
	if outer < 0 {
		s.keep = -1
	}
	return out, err
}

// Mark keeps the text from the next byte on, so that Rewind can go back to it.
func (s *Scanner) Mark() { s.keep, s.mark = s.pos, s.deep }

// Rewind goes back to where Mark was called, and keeps no text any more.
func (s *Scanner) Rewind() { s.pos, s.deep, s.keep = s.keep, s.mark, -1 }

// Unmark keeps no text any more.
func (s *Scanner) Unmark() { s.keep = -1 }
