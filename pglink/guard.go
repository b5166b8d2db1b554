package pglink

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// guard is the connection as the driver sees it. The driver believes what a
// server says: lengths are allocated before anything has come, a body that is
// too short is a panic, and the server names the work of signing in. So each
// message is read here first, whole, and the driver gets those only that are
// what they must be; it never sees a byte of any other. After the first that is
// not, the connection is of no further use.
//
// What the driver does not read itself (usher's own statements) does not pass
// here.
type guard struct {
	*Link
	in   *bufio.Reader
	left int64  // bytes that the server may still say, until the driver asks again
	most int64  // what it may say from then on
	kept []byte // room for messages
	next []byte // what the driver has still to read
	err  error  // why nothing more is read

	greeting *greeting // nil: signed in
	session  answers
}

// maxGreeting is how much a server may say until it has let somebody in, and
// how long a message without a length may be.
const maxGreeting = 64 << 10

// readAhead is how many bytes the guard's reader holds.
const readAhead = 4 << 10

// headSize is the size of a message's type and length.
const headSize = 5

// ErrProtocol is in each error of a server that says what it must not.
var ErrProtocol = errors.New("the server does not keep to PostgreSQL's protocol")

func amiss(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrProtocol}, args...)...)
}

func newGuard(ctx context.Context, l *Link, maxAnswer int64) *guard {
	return &guard{
		Link: l, in: bufio.NewReaderSize(l, readAhead),
		left: maxGreeting, most: maxAnswer, greeting: newGreeting(ctx, l.server),
	}
}

// Read implements net.Conn.
func (g *guard) Read(p []byte) (int, error) {
	for len(g.next) == 0 {
		if g.err != nil {
			return 0, g.err
		}
		if g.next, g.err = g.message(); g.err != nil {
			g.next = nil
		}
	}
	n := copy(p, g.next)
	g.next = g.next[n:]
	return n, nil
}

// Write implements net.Conn: the driver asks the next thing.
func (g *guard) Write(p []byte) (int, error) {
	if g.greeting != nil {
		g.greeting.derived()
		return g.Link.Write(p)
	}
	g.Allow()
	g.left = g.most
	if g.patience > 0 {
		if err := g.SetDeadline(time.Now().Add(g.patience)); err != nil {
			return 0, err
		}
		if g.ended.Load() { // looked at last: what ends it later also sets its deadline later
			return 0, os.ErrDeadlineExceeded
		}
	}
	return g.Link.Write(p)
}

// idle tells that nothing was read beyond what the driver has asked for.
func (g *guard) idle() bool { return len(g.next) == 0 && g.in.Buffered() == 0 }

// message returns what the driver gets of the next message: all of it, another
// one that says the same, or nothing.
func (g *guard) message() ([]byte, error) {
	head, err := g.in.Peek(headSize)
	if err != nil {
		return nil, err
	}
	typ, size := head[0], int64(binary.BigEndian.Uint32(head[1:]))
	if err := g.expected(typ, size); err != nil {
		return nil, err
	}
	if g.left -= size + 1; g.left < 0 {
		return nil, amiss("more than it may say, up to a message %q of %d bytes", typ, size)
	}
	message, err := g.read(int(size) + 1)
	if err != nil {
		return nil, err
	}
	body := message[headSize:]
	switch typ {
	case 'N': // nobody reads notices
		return nil, checkReport(body)
	case 'E':
		return cutReport(body)
	case 'S':
		if g.greeting != nil && !g.greeting.letIn {
			return nil, amiss("a parameter before it has let us in")
		}
		kept, err := checkParameter(body)
		if !kept || err != nil {
			return nil, err
		}
		return message, nil
	}
	if g.greeting == nil {
		return message, g.session.check(typ, body)
	}
	if err := g.greeting.check(typ, body); err != nil {
		return nil, err
	}
	if typ == 'Z' {
		if key := g.greeting.key; key != nil {
			g.cancelBy(key)
		}
		g.greeting = nil
		g.left = g.most
	}
	return message, nil
}

// expected judges the head of a message, before anything is made room for.
func (g *guard) expected(typ byte, size int64) error {
	known := "12ACDEINSTZnt"
	if g.greeting != nil {
		known = "RSKNEZv"
	}
	for i := range len(known) {
		if known[i] != typ {
			continue
		}
		switch {
		case size >= 4 && (typ != 'E' || g.greeting == nil || size < maxGreeting):
			return nil
		case typ == 'E' && g.greeting != nil:
			return g.plainText()
		}
		return amiss("a message %q of the length %d", typ, size)
	}
	if g.greeting != nil {
		return amiss("a message %q before it has let us in", typ)
	}
	return amiss("a message %q that nobody asked for", typ)
}

// plainText is the refusal of a server that cannot start a process: text with
// no length, as all servers sent it once.
func (g *guard) plainText() error {
	text, _ := g.in.Peek(min(g.in.Buffered(), MaxSaid))
	return fmt.Errorf("the server refused: %s", Said(string(text[1:]))) // behind the type
}

// read returns so many bytes of the next message, its head and body. Room is
// made as they come, never for what was only announced.
func (g *guard) read(size int) ([]byte, error) {
	message := g.kept[:0]
	for size > 0 {
		part := min(size, max(readAhead, len(message)))
		at := len(message)
		message = append(message, make([]byte, part)...)
		if _, err := io.ReadFull(g.in, message[at:]); err != nil {
			return nil, err
		}
		size -= part
	}
	if g.kept = message[:0]; cap(message) > maxGreeting {
		g.kept = nil
	}
	return message, nil
}
