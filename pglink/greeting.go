package pglink

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"strconv"
)

// greeting judges what a server says until it has let somebody in. It goes one
// way only: one method of signing in, once.
type greeting struct {
	ctx    context.Context // of connecting
	next   func(subtype uint32, body []byte) error
	letIn  bool
	key    []byte // with which work for the connection is canceled
	server *Server
	busy   bool // the driver derives a key, see derives
}

func newGreeting(ctx context.Context, server *Server) *greeting {
	g := &greeting{ctx: ctx, server: server}
	g.next = g.method
	return g
}

// The kinds of Authentication messages.
const (
	authOK       = 0
	authPassword = 3
	authMD5      = 5
	authSASL     = 10
	authContinue = 11
	authFinal    = 12
)

// What SCRAM may be like.
const (
	mechanism     = "SCRAM-SHA-256"
	maxRounds     = 1_000_000 // of deriving a key from the password, which take half a second; PostgreSQL's own choice is 4096
	maxSalt       = 1024
	maxNonce      = 1024
	signatureSize = 32 // of SHA-256
)

func (g *greeting) check(typ byte, body []byte) error {
	if typ == 'R' {
		if len(body) < 4 {
			return amiss("a request to sign in of %d bytes", len(body))
		}
		return g.next(binary.BigEndian.Uint32(body), body[4:])
	}
	if typ == 'v' {
		return checkVersions(body)
	}
	if !g.letIn {
		return amiss("a message %q before it has let us in", typ)
	}
	switch {
	case typ == 'K' && g.key != nil:
		return amiss("a second key to cancel")
	case typ == 'K' && len(body) != 8:
		return amiss("a key to cancel of %d bytes", len(body))
	case typ == 'K':
		g.key = bytes.Clone(body)
	case len(body) != 1 || body[0] != 'I':
		return amiss("it is ready in the state %.10q", body)
	}
	return nil
}

// method: the server chooses how to sign in.
func (g *greeting) method(kind uint32, body []byte) error {
	switch kind {
	case authOK:
		return g.accepted(kind, body)
	case authPassword:
		g.next = g.accepted
		return exactly(body, 0, "a request for the password")
	case authMD5:
		g.next = g.accepted
		return exactly(body, 4, "the salt of an MD5 password")
	case authSASL:
		g.next = g.firstReply
		return checkMechanisms(body)
	}
	return amiss("it asks to sign in by a method %d, which is not known here", kind)
}

// accepted: the server lets us in.
func (g *greeting) accepted(kind uint32, body []byte) error {
	if kind != authOK {
		return amiss("a second request to sign in, of the kind %d", kind)
	}
	g.letIn, g.next = true, g.nothingMore
	return exactly(body, 0, "a word of welcome")
}

func (g *greeting) nothingMore(kind uint32, _ []byte) error {
	return amiss("a request to sign in, of the kind %d, after it has let us in", kind)
}

// firstReply of SCRAM: nonce, salt and the number of rounds, r=…,s=…,i=….
func (g *greeting) firstReply(kind uint32, body []byte) error {
	if kind != authContinue {
		return amiss("a reply of the kind %d to %s", kind, mechanism)
	}
	g.next = g.lastReply
	fields := bytes.Split(body, []byte(","))
	if len(fields) != 3 {
		return amiss("a first reply of %d fields to %s", len(fields), mechanism)
	}
	nonce, ok := bytes.CutPrefix(fields[0], []byte("r="))
	if !ok || len(nonce) == 0 || len(nonce) > maxNonce {
		return amiss("a first reply without a nonce to %s", mechanism)
	}
	for _, c := range nonce {
		if c < '!' || c > '~' {
			return amiss("a nonce that is not printable")
		}
	}
	text, ok := bytes.CutPrefix(fields[1], []byte("s="))
	if salt, err := base64.StdEncoding.AppendDecode(nil, text); !ok || err != nil || len(salt) == 0 || len(salt) > maxSalt {
		return amiss("a salt that is none, or is too long")
	}
	text, ok = bytes.CutPrefix(fields[2], []byte("i="))
	rounds, err := strconv.ParseUint(string(text), 10, 64)
	if !ok || err != nil || rounds < 1 || rounds > maxRounds {
		return amiss("it asks for %.20q rounds of %s, of 1 to %d", text, mechanism, maxRounds)
	}
	return g.derives()
}

// lastReply of SCRAM: the server's signature, or its refusal.
func (g *greeting) lastReply(kind uint32, body []byte) error {
	g.next = g.accepted
	if kind != authFinal {
		return amiss("a second reply of the kind %d to %s", kind, mechanism)
	}
	if text, refused := bytes.CutPrefix(body, []byte("e=")); refused {
		return amiss("it refuses %s: %s", mechanism, Said(string(text)))
	}
	text, ok := bytes.CutPrefix(body, []byte("v="))
	if signature, err := base64.StdEncoding.AppendDecode(nil, text); !ok || err != nil || len(signature) != signatureSize {
		return amiss("a second reply without a signature to %s", mechanism)
	}
	return nil
}

// derives lets the driver derive a key from the password. How long that takes
// is the server's word, so one does it at a time for each server; the others
// wait for as long as connecting may take.
func (g *greeting) derives() error {
	if g.server == nil {
		return nil
	}
	select {
	case g.server.deriving <- struct{}{}:
		g.busy = true
		return nil
	case <-g.ctx.Done():
		return g.ctx.Err()
	}
}

// derived says that it is done.
func (g *greeting) derived() {
	if g.busy {
		g.busy = false
		<-g.server.deriving
	}
}

func checkMechanisms(body []byte) error {
	offered := false
	for len(body) > 0 && body[0] != 0 {
		name, rest, ok := bytes.Cut(body, []byte{0})
		if !ok {
			return amiss("a list of methods without an end")
		}
		offered = offered || string(name) == mechanism
		body = rest
	}
	switch {
	case len(body) != 1:
		return amiss("a list of methods without an end")
	case !offered:
		return amiss("it does not offer %s", mechanism)
	}
	return nil
}

// checkVersions: the newest minor version, and options that are not known.
func checkVersions(body []byte) error {
	if len(body) < 8 {
		return amiss("a version of %d bytes", len(body))
	}
	options := binary.BigEndian.Uint32(body[4:])
	if got := bytes.Count(body[8:], []byte{0}); uint64(got) != uint64(options) || (got > 0 && body[len(body)-1] != 0) || (got == 0 && len(body) != 8) {
		return amiss("a version that does not fit its length")
	}
	return nil
}

func exactly(body []byte, size int, what string) error {
	if len(body) != size {
		return amiss("%s of %d bytes", what, len(body))
	}
	return nil
}
