package postgres

import (
	"container/list"
	"time"

	"usher/datasource/pgwire"
)

// prepared is a statement of one connection.
type prepared struct {
	pgwire.Statement
	kept bool // for the next time

	proved int64 // when the server has read it, of a sealed statement whose table was looked at since; or 0

	took time.Duration // about; 0: it has not run where that is of interest
	rows int           // of the last answer there
}

// maxStatements is how many prepared statements a connection keeps.
const maxStatements = 256

// statements are a connection's prepared statements by their text. When there
// are too many, the one unused for longest goes (LRU). It is no lru.Cache: the
// one that goes has to be closed on the server before another takes its place.
type statements struct {
	max    int
	byText map[string]*list.Element
	recent *list.List // of *statement, the last used first
}

type statement struct {
	text     string
	prepared *prepared
}

func newStatements(limit int) *statements {
	return &statements{max: limit, byText: make(map[string]*list.Element), recent: list.New()}
}

// get returns nil if the text is not prepared.
func (s *statements) get(text string) *prepared {
	e := s.byText[text]
	if e == nil {
		return nil
	}
	s.recent.MoveToFront(e)
	return e.Value.(*statement).prepared
}

// room returns the statement that has to go for one more, or nil.
func (s *statements) room() *prepared {
	if s.recent.Len() < s.max {
		return nil
	}
	return s.oldest()
}

// oldest forgets the statement unused for longest and returns it, or nil.
func (s *statements) oldest() *prepared {
	if s.recent.Len() == 0 {
		return nil
	}
	return s.drop(s.recent.Back())
}

func (s *statements) add(text string, p *prepared) {
	s.byText[text] = s.recent.PushFront(&statement{text, p})
}

// remove forgets a text and returns its statement, or nil.
func (s *statements) remove(text string) *prepared {
	e := s.byText[text]
	if e == nil {
		return nil
	}
	return s.drop(e)
}

func (s *statements) drop(e *list.Element) *prepared {
	dropped := s.recent.Remove(e).(*statement)
	delete(s.byText, dropped.text)
	return dropped.prepared
}
