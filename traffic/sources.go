package traffic

import (
	"sync"
	"time"
)

// Sources are when sources have last answered and failed. There are as many as the
// configuration names.
type Sources struct {
	mu    sync.RWMutex
	known map[string]*Seen
}

// Seen is when a source last answered, and last failed; zero: never.
type Seen struct {
	Answered, Failed time.Time
	Code             string // of the failure
}

// Failing tells whether a source has failed within the hour, and not answered since.
func (s Seen) Failing(now time.Time) bool {
	return s.Failed.After(s.Answered) && now.Sub(s.Failed) < time.Hour
}

// often is how exact the moment of an answer is: who writes it down each time would
// hold up the next.
const often = time.Second

// Answered notes that a source has answered.
func (s *Sources) Answered(source string, now time.Time) {
	if s == nil {
		return
	}
	s.mu.RLock()
	seen := s.known[source]
	recent := seen != nil && now.Sub(seen.Answered) < often && !seen.Failed.After(seen.Answered)
	s.mu.RUnlock()
	if !recent {
		s.note(source, func(seen *Seen) { seen.Answered = now })
	}
}

// Failed notes that a source has failed.
func (s *Sources) Failed(source, code string, now time.Time) {
	if s != nil {
		s.note(source, func(seen *Seen) { seen.Failed, seen.Code = now, code })
	}
}

func (s *Sources) note(source string, change func(*Seen)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = make(map[string]*Seen)
	}
	if s.known[source] == nil {
		s.known[source] = &Seen{}
	}
	change(s.known[source])
}

// Of is what is known of a source.
func (s *Sources) Of(source string) Seen {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if seen := s.known[source]; seen != nil {
		return *seen
	}
	return Seen{}
}
