package decode

import (
	"errors"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"usher/jsonscan"
)

// One reads the one row of a reply, where a JSON pointer leads, into the cells of the
// decoder. A row of another tenant is not kept.
func One(pointer string, reply []byte, d *Decoder) (kept bool, err error) {
	way, err := ParsePointer(pointer)
	if err != nil {
		return false, err
	}
	if !jsontext.Value(reply).IsValid() {
		return false, jsonscan.ErrText
	}
	s := jsonscan.Over(reply)
	for _, step := range way {
		if err := into(s, step); err != nil {
			return false, err
		}
	}
	return d.row(s)
}

var errNotThere = errors.New("the reply has no row where it should be")

// into steps into one value of an object or array.
func into(s *jsonscan.Scanner, step string) error {
	c, err := s.Peek()
	if err != nil {
		return err
	}
	if c != '{' && c != '[' {
		return errNotThere
	}
	if err := s.Into(); err != nil {
		return err
	}
	for i := 0; ; i++ {
		var key []byte
		var ok bool
		if c == '[' {
			ok, err = s.Item(i == 0, ']')
			key = strconv.AppendInt(nil, int64(i), 10)
		} else {
			key, ok, err = s.Member(i == 0)
		}
		switch {
		case err != nil:
			return err
		case !ok:
			return errNotThere
		case string(key) == step:
			return nil
		}
		if err := s.Skip(); err != nil {
			return err
		}
	}
}
