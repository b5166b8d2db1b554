// Package pgwire owns the extended query protocol of PostgreSQL (version 3.0): the messages of statements, portals, rows and
// COPY between bytes and cells. It opens no connection and knows no statement's meaning; nothing that a server
// says is trusted further than it keeps to the protocol and to the link's allowance.
package pgwire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"usher/pglink"
)

// Wire speaks the protocol on a connection that the driver has
// opened and signed in: prepared statements and their rows go between the
// network's bytes and cells without a value of their own for each. The driver
// is asked for everything else. Both wait for ReadyForQuery before they are
// done and keep nothing that was read beyond it, so each finds the connection
// as the other leaves it.
//
// What the server says is not trusted: a message is no longer than the link's
// allowance, and one that does not fit its own length ends the connection.
type Wire struct {
	Stray bool // something came that nobody asked for: the driver would not see it
	Ended bool // the server has closed behind an error
	Due   int  // answers that come before the server is ready, where several were asked for together

	link     *pglink.Link
	in       *bufio.Reader
	out      []byte // what is sent next; kept from statement to statement
	frame    []byte // a message that does not fit the reader
	held     byte   // the type of a message that was looked at and is still to be read, or 0
	heldBody []byte
}

// readAhead is how many bytes a connection's reader holds. Longer messages get
// room of their own.
const readAhead = 16 << 10

// New speaks on a link that the driver has signed in.
func New(l *pglink.Link) *Wire { return &Wire{link: l, in: bufio.NewReaderSize(l, readAhead)} }

// Statement is what is known of a statement of one connection.
type Statement struct {
	Name      string   // empty: it is parsed anew each time
	Parsed    bool     // the server has it
	Described bool     // its columns are known
	Types     []uint32 // of its columns, by object id
}

// begin starts a message; end writes its length.
func (w *Wire) begin(typ byte) (at int) {
	w.out = append(w.out, typ, 0, 0, 0, 0)
	return len(w.out) - 4
}

func (w *Wire) end(at int) { binary.BigEndian.PutUint32(w.out[at:], uint32(len(w.out)-at)) }

func (w *Wire) text(s string) { w.out = append(append(w.out, s...), 0) }

// Parse has a statement prepared, with types the server finds out itself.
func (w *Wire) Parse(name, text string) {
	at := w.begin('P')
	w.text(name)
	w.text(text)
	w.out = append(w.out, 0, 0)
	w.end(at)
}

// Describe asks for the columns of a statement.
func (w *Wire) Describe(name string) {
	at := w.begin('D')
	w.out = append(w.out, 'S')
	w.text(name)
	w.end(at)
}

// Forget has a statement closed; the answer comes with the next statement's.
func (w *Wire) Forget(name string) {
	at := w.begin('C')
	w.out = append(w.out, 'S')
	w.text(name)
	w.end(at)
}

// Bindable refuses what cannot be sent.
func Bindable(args []string) error {
	if len(args) > math.MaxUint16 {
		return fmt.Errorf("a statement has %d arguments, and %d at most can be bound", len(args), math.MaxUint16)
	}
	return nil
}

// Execute runs a statement with text arguments and asks for text.
func (w *Wire) Execute(name string, args []string) {
	w.Bind("", name, args)
	w.Run("", 0)
}

// Bind makes a portal of a statement and its arguments.
func (w *Wire) Bind(portal, name string, args []string) {
	at := w.begin('B')
	w.text(portal)
	w.text(name)
	w.out = append(w.out, 0, 0)
	w.out = binary.BigEndian.AppendUint16(w.out, uint16(len(args)))
	size := 0
	for _, arg := range args {
		size += len(arg) + 4
	}
	w.out = slices.Grow(w.out, size+maxBehind)
	for _, arg := range args {
		w.out = binary.BigEndian.AppendUint32(w.out, uint32(len(arg)))
		w.out = append(w.out, arg...)
	}
	w.out = append(w.out, 0, 0)
	w.end(at)
}

// Run asks for so many rows of a portal; 0: for all.
func (w *Wire) Run(portal string, rows int) {
	at := w.begin('E')
	w.text(portal)
	w.out = binary.BigEndian.AppendUint32(w.out, uint32(rows))
	w.end(at)
}

// Sync ends what goes out together. After an error the server passes over the
// rest of it.
func (w *Wire) Sync() { w.end(w.begin('S')) }

// maxBehind is for how many bytes there is room behind arguments, which mostly are all that is sent with them.
const maxBehind = 64

// maxKept is how much room for messages a connection keeps between statements.
const maxKept = 64 << 10

// Send writes what was begun, in one write.
func (w *Wire) Send() error {
	_, err := w.link.Write(w.out)
	if cap(w.out) > maxKept {
		w.out = nil
	}
	w.out = w.out[:0]
	return err
}

// Message returns the next Message. Its body is valid until the next one is
// read. Notices and the like are passed over.
func (w *Wire) Message() (typ byte, body []byte, err error) {
	if w.held != 0 {
		typ, w.held = w.held, 0
		return typ, w.heldBody, nil
	}
	for {
		head, err := w.in.Peek(5)
		if err != nil {
			return 0, nil, err
		}
		typ = head[0]
		size := int64(binary.BigEndian.Uint32(head[1:])) - 4
		if _, err := w.in.Discard(5); err != nil {
			return 0, nil, err
		}
		if size < 0 {
			return 0, nil, pglink.ErrProtocol
		}
		if body, err = w.body(size); err != nil {
			return 0, nil, err
		}
		switch typ {
		case 'N', 'S', 'A', '3': // notice, parameter, notification, a statement closed
		default:
			return typ, body, nil
		}
	}
}

func (w *Wire) body(size int64) ([]byte, error) {
	if size <= int64(w.in.Size()) {
		body, err := w.in.Peek(int(size))
		if err != nil {
			return nil, err
		}
		_, err = w.in.Discard(int(size)) // the bytes stay where they are until the next read
		return body, err
	}
	if size-int64(w.in.Buffered()) > w.link.Left() {
		return nil, pglink.ErrTooLarge
	}
	// Room is made as the body comes, never for what was only announced.
	w.frame = w.frame[:0]
	for len(w.frame) < int(size) {
		w.frame = slices.Grow(w.frame, min(int(size)-len(w.frame), max(len(w.frame), readAhead)))
		read, err := w.in.Read(w.frame[len(w.frame):min(int(size), cap(w.frame))])
		if err != nil {
			return nil, err
		}
		w.frame = w.frame[:len(w.frame)+read]
	}
	return w.frame, nil
}

// ClosePortal ends a portal; the answer is passed over.
func (w *Wire) ClosePortal(portal string) {
	at := w.begin('C')
	w.out = append(w.out, 'P')
	w.text(portal)
	w.end(at)
}

// Started reads up to the first row, which the server has begun to answer with:
// what a statement's columns are, if it has just been prepared, and no more. An
// error of the server is returned when the server is ready again.
func (w *Wire) Started(p *Statement) error { return w.begun(p, false) }

// Bound reads up to where a statement is Bound.
func (w *Wire) Bound(p *Statement) error { return w.begun(p, true) }

func (w *Wire) begun(p *Statement, bound bool) error {
	for {
		typ, body, err := w.Message()
		if err != nil {
			return err
		}
		switch typ {
		case '1':
			p.Parsed = true
		case 't': // the parameters' types
		case 'n':
			p.Types, p.Described = nil, true
		case 'T':
			if p.Types, err = columnTypes(body); err != nil {
				return err
			}
			p.Described = true
		case '2': // bound
			if bound {
				return nil
			}
		case 'E':
			return w.Failed(body)
		case 'D', 'C', 'I':
			w.held, w.heldBody = typ, body
			return nil
		default:
			return fmt.Errorf("%w: a message %q before the first row", pglink.ErrProtocol, typ)
		}
	}
}

// Completed reads the answer of a statement that is not described: its only
// row, where one is expected.
func (w *Wire) Completed(row func([]byte) error) error {
	rows := 0
	for {
		typ, body, err := w.Message()
		if err != nil {
			return err
		}
		switch {
		case typ == '1' || typ == '2': // parsed, bound
		case typ == 'D' && row != nil && rows == 0:
			rows++
			if err := row(body); err != nil {
				return err
			}
		case typ == 'C' && (row == nil || rows == 1):
			return nil
		case typ == 'E':
			return w.Failed(body)
		default:
			return fmt.Errorf("%w: a message %q in a statement's answer", pglink.ErrProtocol, typ)
		}
	}
}

// LastThree are the last cells of a row, none of which is null. They are valid
// until the next message is read.
func LastThree(row []byte) (a, b, c []byte, err error) {
	if len(row) < 2 {
		return nil, nil, nil, pglink.ErrProtocol
	}
	count := int(binary.BigEndian.Uint16(row))
	row = row[2:]
	for range count {
		if len(row) < 4 {
			return nil, nil, nil, pglink.ErrProtocol
		}
		size := int(int32(binary.BigEndian.Uint32(row)))
		if row = row[4:]; size < 0 || size > len(row) {
			return nil, nil, nil, pglink.ErrProtocol
		}
		a, b, c, row = b, c, row[:size], row[size:]
	}
	if count < 3 || len(row) > 0 {
		return nil, nil, nil, pglink.ErrProtocol
	}
	return a, b, c, nil
}

// Failed reads the server's error and on to where it is ready again.
func (w *Wire) Failed(body []byte) error {
	reported, err := serverError(body)
	if err != nil {
		return err
	}
	if err := w.Ready(); err != nil {
		w.Ended = true
		return errors.Join(reported, err)
	}
	return reported
}

// Ready reads on to where the server takes the next statement.
func (w *Wire) Ready() error {
	for {
		typ, body, err := w.Message()
		switch {
		case err != nil:
			return err
		case typ != 'Z':
			continue
		case len(body) != 1:
			return pglink.ErrProtocol
		}
		w.Stray, w.Due = w.in.Buffered() > 0, 0
		return nil
	}
}

// Over ends an answer: others come behind it, or the server is ready.
func (w *Wire) Over() error {
	if w.Due > 1 {
		w.Due--
		return nil
	}
	return w.Ready()
}

// Pass reads over an answer.
func (w *Wire) Pass() error {
	for {
		switch typ, body, err := w.Message(); {
		case err != nil:
			return err
		case typ == 'E':
			return w.Failed(body)
		case typ == 'C', typ == 'I':
			return w.Over()
		}
	}
}

func columnTypes(body []byte) ([]uint32, error) {
	if len(body) < 2 {
		return nil, pglink.ErrProtocol
	}
	types := make([]uint32, 0, binary.BigEndian.Uint16(body))
	rest := body[2:]
	for range cap(types) {
		_, after, ok := cutText(rest)
		if !ok || len(after) < 18 {
			return nil, pglink.ErrProtocol
		}
		types = append(types, binary.BigEndian.Uint32(after[6:])) // behind the table's and the column's number
		rest = after[18:]
	}
	return types, nil
}

func cutText(b []byte) (text string, after []byte, ok bool) {
	for i, c := range b {
		if c == 0 {
			return string(b[:i]), b[i+1:], true
		}
	}
	return "", nil, false
}

// serverError reads an ErrorResponse: of its fields those that usher looks at.
func serverError(body []byte) (*pq.Error, error) {
	e := &pq.Error{}
	for len(body) > 0 && body[0] != 0 {
		field := body[0]
		text, after, ok := cutText(body[1:])
		if !ok {
			return nil, pglink.ErrProtocol
		}
		switch field {
		case 'S':
			e.Severity = text
		case 'C':
			e.Code = pqerror.Code(text)
		case 'M':
			e.Message = text
		case 'D':
			e.Detail = text
		case 'H':
			e.Hint = text
		case 'P':
			e.Position = text
		case 'W':
			e.Where = text
		case 's':
			e.Schema = text
		case 't':
			e.Table = text
		case 'c':
			e.Column = text
		case 'd':
			e.DataTypeName = text
		case 'n':
			e.Constraint = text
		case 'R':
			e.Routine = text
		}
		body = after
	}
	if e.Code == "" {
		return nil, pglink.ErrProtocol
	}
	return e, nil
}

// Rest gives back the room that one statement needed.
func (w *Wire) Rest() {
	if cap(w.frame) > maxKept {
		w.frame = nil
	}
}

// Flush has the server answer what it was sent so far.
func (w *Wire) Flush() { w.end(w.begin('H')) }

// Accepts reads up to where a COPY takes rows.
func (w *Wire) Accepts() error {
	for {
		typ, body, err := w.Message()
		if err != nil {
			return err
		}
		switch typ {
		case '1', '2': // parsed, bound
		case 'G':
			return nil
		case 'E': // it passes over everything up to here
			w.Sync()
			if err := w.Send(); err != nil {
				return err
			}
			return w.Failed(body)
		default:
			return fmt.Errorf("%w: a message %q before a COPY", pglink.ErrProtocol, typ)
		}
	}
}

// CopyRows sends CopyRows of a COPY, and that they were all.
func (w *Wire) CopyRows(data []byte) error {
	head := w.begin('d')
	binary.BigEndian.PutUint32(w.out[head:], uint32(len(data)+4))
	if err := w.Send(); err != nil {
		return err
	}
	if _, err := w.link.Write(data); err != nil {
		return err
	}
	w.end(w.begin('c'))
	w.Sync()
	return w.Send()
}
