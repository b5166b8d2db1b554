package postgres

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"usher/pglink"
)

// wire speaks the extended query protocol on a connection that the driver has
// opened and signed in: prepared statements and their rows go between the
// network's bytes and cells without a value of their own for each. The driver
// is asked for everything else. Both wait for ReadyForQuery before they are
// done and keep nothing that was read beyond it, so each finds the connection
// as the other leaves it.
//
// What the server says is not trusted: a message is no longer than the link's
// allowance, and one that does not fit its own length ends the connection.
type wire struct {
	link     *pglink.Link
	in       *bufio.Reader
	out      []byte // what is sent next; kept from statement to statement
	frame    []byte // a message that does not fit the reader
	stray    bool   // something came that nobody asked for: the driver would not see it
	ended    bool   // the server has closed behind an error
	due      int    // answers that come before the server is ready, where several were asked for together
	held     byte   // the type of a message that was looked at and is still to be read, or 0
	heldBody []byte
}

// readAhead is how many bytes a connection's reader holds. Longer messages get
// room of their own.
const readAhead = 16 << 10

var errProtocol = pglink.ErrProtocol

func newWire(l *pglink.Link) *wire { return &wire{link: l, in: bufio.NewReaderSize(l, readAhead)} }

// prepared is a statement of one connection.
type prepared struct {
	name      string   // empty: it is parsed anew each time
	parsed    bool     // the server has it
	described bool     // its columns are known
	kept      bool     // for the next time
	types     []uint32 // of its columns, by object id

	proved int64 // when the server has read it, of a sealed statement whose table was looked at since; or 0

	took time.Duration // about; 0: it has not run where that is of interest
	rows int           // of the last answer there
}

// The types of columns that have a cell.
const (
	oidBool    = 16
	oidInt8    = 20
	oidInt2    = 21
	oidInt4    = 23
	oidText    = 25
	oidFloat8  = 701
	oidVarchar = 1043
	oidNumeric = 1700

	oidDate        = 1082
	oidTime        = 1083
	oidTimestamp   = 1114
	oidTimestampTZ = 1184
	oidTimeTZ      = 1266
	oidUUID        = 2950
)

// begin starts a message; end writes its length.
func (w *wire) begin(typ byte) (at int) {
	w.out = append(w.out, typ, 0, 0, 0, 0)
	return len(w.out) - 4
}

func (w *wire) end(at int) { binary.BigEndian.PutUint32(w.out[at:], uint32(len(w.out)-at)) }

func (w *wire) text(s string) { w.out = append(append(w.out, s...), 0) }

// parse has a statement prepared, with types the server finds out itself.
func (w *wire) parse(name, text string) {
	at := w.begin('P')
	w.text(name)
	w.text(text)
	w.out = append(w.out, 0, 0)
	w.end(at)
}

// describe asks for the columns of a statement.
func (w *wire) describe(name string) {
	at := w.begin('D')
	w.out = append(w.out, 'S')
	w.text(name)
	w.end(at)
}

// forget has a statement closed; the answer comes with the next statement's.
func (w *wire) forget(p *prepared) {
	at := w.begin('C')
	w.out = append(w.out, 'S')
	w.text(p.name)
	w.end(at)
}

// bindable refuses what cannot be sent.
func bindable(args []string) error {
	if len(args) > math.MaxUint16 {
		return fmt.Errorf("a statement has %d arguments, and %d at most can be bound", len(args), math.MaxUint16)
	}
	return nil
}

// execute runs a statement with text arguments and asks for text.
func (w *wire) execute(name string, args []string) {
	w.bind("", name, args)
	w.run("", 0)
}

// bind makes a portal of a statement and its arguments.
func (w *wire) bind(portal, name string, args []string) {
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

// run asks for so many rows of a portal; 0: for all.
func (w *wire) run(portal string, rows int) {
	at := w.begin('E')
	w.text(portal)
	w.out = binary.BigEndian.AppendUint32(w.out, uint32(rows))
	w.end(at)
}

// sync ends what goes out together. After an error the server passes over the
// rest of it.
func (w *wire) sync() { w.end(w.begin('S')) }

// maxBehind is for how many bytes there is room behind arguments, which mostly are all that is sent with them.
const maxBehind = 64

// maxKept is how much room for messages a connection keeps between statements.
const maxKept = 64 << 10

func (w *wire) send() error {
	_, err := w.link.Write(w.out)
	if cap(w.out) > maxKept {
		w.out = nil
	}
	w.out = w.out[:0]
	return err
}

// message returns the next message. Its body is valid until the next one is
// read. Notices and the like are passed over.
func (w *wire) message() (typ byte, body []byte, err error) {
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
			return 0, nil, errProtocol
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

func (w *wire) body(size int64) ([]byte, error) {
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

// closePortal ends a portal; the answer is passed over.
func (w *wire) closePortal(portal string) {
	at := w.begin('C')
	w.out = append(w.out, 'P')
	w.text(portal)
	w.end(at)
}

// started reads up to the first row, which the server has begun to answer with:
// what a statement's columns are, if it has just been prepared, and no more. An
// error of the server is returned when the server is ready again.
func (w *wire) started(p *prepared) error { return w.begun(p, false) }

// bound reads up to where a statement is bound.
func (w *wire) bound(p *prepared) error { return w.begun(p, true) }

func (w *wire) begun(p *prepared, bound bool) error {
	for {
		typ, body, err := w.message()
		if err != nil {
			return err
		}
		switch typ {
		case '1':
			p.parsed = true
		case 't': // the parameters' types
		case 'n':
			p.types, p.described = nil, true
		case 'T':
			if p.types, err = columnTypes(body); err != nil {
				return err
			}
			p.described = true
		case '2': // bound
			if bound {
				return nil
			}
		case 'E':
			return w.failed(body)
		case 'D', 'C', 'I':
			w.held, w.heldBody = typ, body
			return nil
		default:
			return fmt.Errorf("%w: a message %q before the first row", errProtocol, typ)
		}
	}
}

// completed reads the answer of a statement that is not described: its only
// row, where one is expected.
func (w *wire) completed(row func([]byte) error) error {
	rows := 0
	for {
		typ, body, err := w.message()
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
			return w.failed(body)
		default:
			return fmt.Errorf("%w: a message %q in a statement's answer", errProtocol, typ)
		}
	}
}

// lastThree are the last cells of a row, none of which is null. They are valid
// until the next message is read.
func lastThree(row []byte) (a, b, c []byte, err error) {
	if len(row) < 2 {
		return nil, nil, nil, errProtocol
	}
	count := int(binary.BigEndian.Uint16(row))
	row = row[2:]
	for range count {
		if len(row) < 4 {
			return nil, nil, nil, errProtocol
		}
		size := int(int32(binary.BigEndian.Uint32(row)))
		if row = row[4:]; size < 0 || size > len(row) {
			return nil, nil, nil, errProtocol
		}
		a, b, c, row = b, c, row[:size], row[size:]
	}
	if count < 3 || len(row) > 0 {
		return nil, nil, nil, errProtocol
	}
	return a, b, c, nil
}

// failed reads the server's error and on to where it is ready again.
func (w *wire) failed(body []byte) error {
	reported, err := serverError(body)
	if err != nil {
		return err
	}
	if err := w.ready(); err != nil {
		w.ended = true
		return errors.Join(reported, err)
	}
	return reported
}

// ready reads on to where the server takes the next statement.
func (w *wire) ready() error {
	for {
		typ, body, err := w.message()
		switch {
		case err != nil:
			return err
		case typ != 'Z':
			continue
		case len(body) != 1:
			return errProtocol
		}
		w.stray, w.due = w.in.Buffered() > 0, 0
		return nil
	}
}

// over ends an answer: others come behind it, or the server is ready.
func (w *wire) over() error {
	if w.due > 1 {
		w.due--
		return nil
	}
	return w.ready()
}

// pass reads over an answer.
func (w *wire) pass() error {
	for {
		switch typ, body, err := w.message(); {
		case err != nil:
			return err
		case typ == 'E':
			return w.failed(body)
		case typ == 'C', typ == 'I':
			return w.over()
		}
	}
}

func columnTypes(body []byte) ([]uint32, error) {
	if len(body) < 2 {
		return nil, errProtocol
	}
	types := make([]uint32, 0, binary.BigEndian.Uint16(body))
	rest := body[2:]
	for range cap(types) {
		_, after, ok := cutText(rest)
		if !ok || len(after) < 18 {
			return nil, errProtocol
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
			return nil, errProtocol
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
		return nil, errProtocol
	}
	return e, nil
}

// rest gives back the room that one statement needed.
func (w *wire) rest() {
	if cap(w.frame) > maxKept {
		w.frame = nil
	}
}

// flush has the server answer what it was sent so far.
func (w *wire) flush() { w.end(w.begin('H')) }

// accepts reads up to where a COPY takes rows.
func (w *wire) accepts() error {
	for {
		typ, body, err := w.message()
		if err != nil {
			return err
		}
		switch typ {
		case '1', '2': // parsed, bound
		case 'G':
			return nil
		case 'E': // it passes over everything up to here
			w.sync()
			if err := w.send(); err != nil {
				return err
			}
			return w.failed(body)
		default:
			return fmt.Errorf("%w: a message %q before a COPY", errProtocol, typ)
		}
	}
}

// rows sends rows of a COPY, and that they were all.
func (w *wire) rows(data []byte) error {
	head := w.begin('d')
	binary.BigEndian.PutUint32(w.out[head:], uint32(len(data)+4))
	if err := w.send(); err != nil {
		return err
	}
	if _, err := w.link.Write(data); err != nil {
		return err
	}
	w.end(w.begin('c'))
	w.sync()
	return w.send()
}
