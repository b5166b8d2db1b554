package postgres

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// errSilent is what those get who wait for a connection to a host that has stopped
// answering.
var errSilent = errors.New("the server does not answer")

// silence is whether a host has stopped answering while another of its cluster
// answers, and what to end when it does: a frozen server keeps its connections open,
// and who reads from one would wait for as long as a question may take.
type silence struct {
	silent atomic.Bool

	mu         sync.Mutex
	asked      map[*conn]struct{} // in use
	connecting map[*context.CancelFunc]struct{}
}

func (s *silence) is() bool { return s.silent.Load() }

// ends ends an attempt to connect when the host falls silent.
func (s *silence) ends(cancel context.CancelFunc) (over func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.connecting == nil {
		s.connecting = make(map[*context.CancelFunc]struct{})
	}
	s.connecting[&cancel] = struct{}{}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.connecting, &cancel)
	}
}

func (s *silence) took(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == nil {
		s.asked = make(map[*conn]struct{})
	}
	s.asked[c] = struct{}{}
}

func (s *silence) returns(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.asked, c)
}

func (s *silence) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)+len(s.connecting) > 0
}

// heard notes whether the host has fallen silent. What is under way there ends, and is
// lost as it is with a server that crashes: whoever asked may ask another host.
func (h *host) heard(silent bool) {
	s := &h.connector.silence
	if h.connector.pooling.pooled() { // which is silent also while all its connections are in use
		return
	}
	s.silent.Store(silent)
	if !silent {
		return
	}
	s.mu.Lock()
	for c := range s.asked {
		c.link.Sever()
	}
	for cancel := range s.connecting {
		(*cancel)()
	}
	s.mu.Unlock()
	h.account.Forsake(errSilent)
}
