// Package lies is a PostgreSQL server for tests that is honest up to one point,
// and then says what it should not. It owns the list of what it may say, which
// whoever connects to servers of others has to bear.
package lies

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Point is where in a conversation the server lies.
type Point string

// The points, in the order of a conversation.
const (
	TLS        Point = "TLS"         // its answer to the request for TLS
	Greeting   Point = "greeting"    // its first word
	FirstReply Point = "first reply" // of SCRAM
	LastReply  Point = "last reply"
	LetIn      Point = "let in"    // after it has accepted the account
	Command    Point = "command"   // its answer to a statement without arguments
	Described  Point = "described" // its answer to the driver's statement that is prepared
	Rows       Point = "rows"      // its answer to the same, bound
	Identity   Point = "identity"  // its answer to a source that asks where it is
	Statement  Point = "statement" // its answer to usher's own: prepared, bound and run at once
)

// Nonce stands for the client's, which is as long, in what a server says.
const Nonce = "<the nonce of a client!>"

// Lie is what the server says at one point, in place of its honest answer.
type Lie struct {
	Name    string
	At      Point
	Says    string
	Endless bool // says it again and again, until nobody listens
	Hangs   Hang
}

// Hang is what the server does when it has lied.
type Hang int

// What the server does.
const (
	Stays  Hang = iota // says nothing more
	Leaves             // closes
)

// Serve starts a server on 127.0.0.1 that ends with the test.
func Serve(t testing.TB, lie Lie) (port int) {
	t.Helper()
	return Answering(t, lie, nil)
}

// Answering starts a server that has ready answers to statements of usher's own,
// by a part of their text.
func Answering(t testing.TB, lie Lie, answers map[string]string) (port int) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = client.Close() }()
				p := &peer{Conn: client, in: bufio.NewReader(client), lie: lie, answers: answers}
				_ = p.talk()
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

// peer is the server's end of one connection.
type peer struct {
	net.Conn
	in       *bufio.Reader
	lie      Lie
	answers  map[string]string
	user     string
	database string
	settings map[string]string // that came with the login
	nonce    string
}

var errLied = errors.New("the lie is told")

// say says what is honest, or the lie if this is its point.
func (p *peer) say(at Point, honest string) error {
	if at != p.lie.At {
		_, err := io.WriteString(p, honest)
		return err
	}
	lie := []byte(strings.ReplaceAll(p.lie.Says, Nonce, p.nonce))
	for {
		if _, err := p.Write(lie); err != nil {
			return err
		}
		if !p.lie.Endless {
			break
		}
	}
	if p.lie.Hangs == Stays {
		_, _ = io.Copy(io.Discard, p.in) // until the other end has enough
	}
	return errLied
}

const (
	startupTLS    = 80877103
	startupCancel = 80877102
)

func (p *peer) talk() error {
	for {
		body, err := p.body()
		if err != nil || len(body) < 4 {
			return err
		}
		switch binary.BigEndian.Uint32(body) {
		case startupCancel:
			return nil
		case startupTLS:
			if err := p.say(TLS, "N"); err != nil {
				return err
			}
			continue
		}
		p.startup(body[4:])
		break
	}
	if err := p.greet(); err != nil {
		return err
	}
	if err := p.say(LetIn, Parameter("server_version", "15.4")+Parameter("TimeZone", "UTC")+Key()+Ready("I")); err != nil {
		return err
	}
	return p.serve()
}

func (p *peer) startup(body []byte) {
	words := strings.Split(string(body), "\x00")
	p.settings = make(map[string]string)
	for i := 0; i+1 < len(words); i += 2 {
		switch words[i] {
		case "user":
			p.user = words[i+1]
		case "database":
			p.database = words[i+1]
		default:
			p.settings[strings.ToLower(words[i])] = words[i+1]
		}
	}
}

func (p *peer) greet() error {
	if p.lie.At != FirstReply && p.lie.At != LastReply {
		return p.say(Greeting, Auth(0))
	}
	if err := p.say(Greeting, Auth(10, "SCRAM-SHA-256\x00\x00")); err != nil {
		return err
	}
	_, first, err := p.message()
	if err != nil {
		return err
	}
	_, p.nonce, _ = strings.Cut(string(first), ",r=")
	if err := p.say(FirstReply, Auth(11, "r="+p.nonce+"more,s=c2FsdHNhbHQ=,i=4096")); err != nil {
		return err
	}
	if _, _, err := p.message(); err != nil {
		return err
	}
	return p.say(LastReply, "")
}

// serve answers statements.
func (p *peer) serve() error {
	var text string
	var parsed, bound bool
	state := "I"
	for {
		typ, body, err := p.message()
		if err != nil {
			return err
		}
		switch typ {
		case 'Q':
			word, _, _ := strings.Cut(strings.TrimRight(string(body), "\x00;"), " ")
			switch word {
			case "BEGIN":
				state = "T"
			case "COMMIT", "ROLLBACK":
				state = "I"
			}
			err = p.say(Command, Complete(word)+Ready(state))
		case 'P':
			_, text, _ = strings.Cut(string(body), "\x00")
			text, _, _ = strings.Cut(text, "\x00")
			parsed = true
		case 'B':
			bound = true
		case 'S':
			switch {
			case parsed && bound && strings.Contains(text, "pg_backend_pid()"):
				err = p.say(Identity, p.identity(text)+Ready(state))
			case parsed && bound:
				err = p.say(Statement, p.answer(text)+Ready(state))
			case parsed:
				err = p.say(Described, Parsed+Parameters(text)+identified+Ready(state))
			default:
				err = p.say(Rows, Bound+Row(p.database, p.user, "t", Null)+Complete("SELECT 1")+Ready(state))
			}
			parsed, bound = false, false
		case 'X':
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// identified describes the answer to the only statement that the driver is asked
// by a source: where it is.
var identified = Columns(Column("a", Text), Column("b", Text), Column("c", Bool), Column("d", Text))

func (p *peer) answer(text string) string {
	for part, answer := range p.answers {
		if strings.Contains(text, part) {
			return answer
		}
	}
	return Parsed + Parameters(text) + Columns(Column("a", Int8)) + Bound + Row("1") + Complete("SELECT 1")
}

var asked = regexp.MustCompile(`current_setting\('(\w+)'\)`)

// identity is what a source asks a new connection: where it is, by whom it is
// served, and which settings hold.
func (p *peer) identity(text string) string {
	columns := []string{
		Column("database", Text), Column("user", Text), Column("schema", Bool), Column("backend", Int8), Column("bound", Int8), Column("owners", Int8),
		Column("set", Text), Column("checks", Text),
	}
	cells := []string{p.database, p.user, "t", strconv.Itoa(Backend), "1000", "0", Null, Null}
	for _, name := range asked.FindAllStringSubmatch(text, -1) {
		columns = append(columns, Column("setting", Text))
		cells = append(cells, p.settings[strings.ToLower(name[1])])
	}
	return Parsed + Parameters(text) + Columns(columns...) + Bound + Row(cells...) + Complete("SELECT 1")
}

// message reads one of the client's messages.
func (p *peer) message() (typ byte, body []byte, err error) {
	if typ, err = p.in.ReadByte(); err != nil {
		return 0, nil, err
	}
	body, err = p.body()
	return typ, body, err
}

func (p *peer) body() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(p.in, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 4 || n > 1<<20 {
		return nil, errors.New("a message of a length that no client sends")
	}
	body := make([]byte, n-4)
	_, err := io.ReadFull(p.in, body)
	return body, err
}
