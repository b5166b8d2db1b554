package gateway_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"usher/pgtest"
)

// turns counts how often a server is asked and waited for: what comes of a client after
// something has gone to it is another turn.
type turns struct {
	port     int
	count    atomic.Int64
	mu       sync.Mutex
	sent     strings.Builder
	noted    bool
	answered atomic.Bool
}

// inTurns stands between usher and a database, and counts.
func inTurns(t *testing.T, db pgtest.DB) *turns {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	c := &turns{port: l.Addr().(*net.TCPAddr).Port}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", db.Port))
			if err != nil {
				_ = client.Close()
				return
			}
			go c.pass(client, server)
		}
	}()
	return c
}

func (c *turns) pass(client, server net.Conn) {
	var waits atomic.Bool
	go func() {
		defer func() { _ = client.Close() }()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if n > 0 {
				waits.Store(false)
				if _, err := client.Write(buf[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	defer func() { _ = server.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if n > 0 {
			if waits.CompareAndSwap(false, true) {
				c.count.Add(1)
				c.mu.Lock()
				if c.noted { c.sent.WriteString("\n-- ") }
				c.mu.Unlock()
			}
			c.mu.Lock()
			if c.noted { c.sent.Write(buf[:n]) }
			c.mu.Unlock()
			if _, err := server.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			_ = err == io.EOF
			return
		}
	}
}

func TestTurnsOfChanges(t *testing.T) {
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables)
	c := inTurns(t, db)
	g := openWrittenAs(t, db, func(text string) string { return strings.Replace(text, fmt.Sprintf("port: %d", db.Port), fmt.Sprintf("port: %d", c.port), 1) })
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, text := range []string{
		`mutation { insertCustomersOne(row: {id: %d, name: "x"}) { id name } }`,
		`mutation { insertCustomers(rows: [{id: %d, name: "x"}, {id: 1%[1]d}]) { affected } }`,
		`mutation { updateCustomersByPk(id: 1, set: {name: "y%d"}) { id name } }`,
		`mutation { updateCustomers(where: {id: {lt: %d}}, set: {name: "z"}) { affected } }`,
		`mutation { deleteCustomersByPk(id: 1%d) { id name } }`,
		`mutation { insertOrdersOne(row: {id: %d, customer_id: 1}) { id customer { name } } }`,
		`mutation { insertOrders(rows: [{id: %d, note: "hm"}], onConflict: {key: id, update: [note]}) { affected } }`,
	} {
		for i := range 3 {
			if i == 2 { c.mu.Lock(); c.noted = true; c.sent.Reset(); c.mu.Unlock() }
			before := c.count.Load()
			t.Log(short(t, g.query(t, ann, fmt.Sprintf(text, 100+i))), c.count.Load()-before)
		}
		c.mu.Lock()
		t.Logf("%q", c.sent.String())
		c.noted = false
		c.mu.Unlock()
	}
}
