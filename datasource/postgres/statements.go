package postgres

import (
	"container/list"
	"database/sql/driver"
)

// maxStatements is how many prepared statements a connection keeps.
const maxStatements = 256

// statements are a connection's prepared statements by their text. When there
// are too many, the one unused for longest goes.
type statements struct {
	max    int
	byText map[string]*list.Element
	recent *list.List // of *statement, the last used first
}

type statement struct {
	text     string
	prepared driver.Stmt
}

func newStatements(limit int) *statements {
	return &statements{max: limit, byText: make(map[string]*list.Element), recent: list.New()}
}

// get returns nil if the text is not prepared.
func (s *statements) get(text string) driver.Stmt {
	e := s.byText[text]
	if e == nil {
		return nil
	}
	s.recent.MoveToFront(e)
	return e.Value.(*statement).prepared
}

// add returns the statement that has to go for it, or nil.
func (s *statements) add(text string, prepared driver.Stmt) (oldest driver.Stmt) {
	s.byText[text] = s.recent.PushFront(&statement{text, prepared})
	if s.recent.Len() <= s.max {
		return nil
	}
	e := s.recent.Back()
	return s.drop(e)
}

// remove forgets a text and returns its statement, or nil.
func (s *statements) remove(text string) driver.Stmt {
	e := s.byText[text]
	if e == nil {
		return nil
	}
	return s.drop(e)
}

func (s *statements) drop(e *list.Element) driver.Stmt {
	dropped := s.recent.Remove(e).(*statement)
	delete(s.byText, dropped.text)
	return dropped.prepared
}
