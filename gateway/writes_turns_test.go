package gateway_test

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// turns counts how often a server is asked and waited for: what comes of a client after something
// has gone to it is another turn.
type turns struct {
	port  int
	count atomic.Int64
}

// inTurns stands between usher and a database.
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
			var waits atomic.Bool
			go carry(server, client, func() { waits.Store(false) })
			go carry(client, server, func() {
				if waits.CompareAndSwap(false, true) {
					c.count.Add(1)
				}
			})
		}
	}()
	return c
}

func carry(from, to net.Conn, before func()) {
	defer func() { _ = to.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			before()
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// TestTurnsOfChanges: a change of rows of one table without triggers is one statement that comes
// with the beginning of its transaction, and COMMIT; rows that a condition says are chosen before. Each reference is asked for before, and what reads
// other tables is read afterwards.
func TestTurnsOfChanges(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables+`
CREATE TABLE marked (tenant text NOT NULL, id bigint NOT NULL, name text, PRIMARY KEY (tenant, id));
CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$ BEGIN UPDATE public.marked SET name = 'by a trigger' WHERE id = NEW.id AND name = 'x'; RETURN NULL; END $$;
CREATE TRIGGER marks AFTER INSERT ON marked FOR EACH ROW EXECUTE FUNCTION mark();`)
	c := inTurns(t, db)
	g := openWrittenAs(t, db, func(text string) string {
		return strings.Replace(text, fmt.Sprintf("port: %d", db.Port), fmt.Sprintf("port: %d", c.port), 1) +
			"  marked: {tenant: tenant, key: id, writable: true, columns: {id: BigInt!, tenant: String!, name: String}}\n"
	})
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	if got := short(t, g.query(t, ann, `mutation { insertCustomersOne(row: {id: 90}) { id } }`)); got != `{"insertCustomersOne":{"id":90}}` {
		t.Fatal(got)
	}
	before, quiet := c.count.Load(), 0
	program.Soon(t, program.Patience, "nobody else looks at the source", func() bool {
		now := c.count.Load()
		if quiet++; now != before {
			before, quiet = now, 0
		}
		return quiet > 30
	})
	for _, line := range []struct {
		text, want string
		turns      int64
	}{
		{`mutation { insertCustomersOne(row: {id: %d, name: "x"}) { id name } }`, `{"insertCustomersOne":{"id":%d,"name":"x"}}`, 2},
		{`mutation { insertCustomers(rows: [{id: 2%d}, {id: 1%[1]d}]) { affected rows { id } } }`, `{"insertCustomers":{"affected":2,"rows":[{"id":2%d},{"id":1%[1]d}]}}`, 2},
		{`mutation { insertCustomers(rows: [{id: 4%d}, {id: 3%[1]d}]) { affected } }`, `{"insertCustomers":{"affected":2}}`, 2},
		{`mutation { insertCustomersOne(row: {id: 5%d, name: "hidden"}) { id } }`, `null FORBIDDEN: what would be written to customers is not what you may write there`, 2},
		{`mutation { insertCustomersOne(row: {id: 1, name: "%d"}) { id } }`, `null CONFLICT: there is a row of customers with the same id (insertCustomersOne.row.id)`, 3}, // the last one: what refuses is a key that is known of
		{`mutation { updateCustomersByPk(id: 1, set: {name: "y%d"}) { id name } }`, `{"updateCustomersByPk":{"id":1,"name":"y%d"}}`, 2},
		{`mutation { updateCustomersByPk(id: 9%d, set: {name: "y"}) { id name } }`, `{"updateCustomersByPk":null}`, 2},
		{`mutation { updateCustomers(where: {id: {eq: %d}}, set: {name: "hidden"}) { affected } }`, `null FORBIDDEN: what would be written to customers is not what you may write there`, 3},
		{`mutation { updateCustomers(where: {id: {in: [2%d, 1%[1]d]}}, set: {name: "z"}) { affected rows { id } } }`, `{"updateCustomers":{"affected":2,"rows":[{"id":1%d},{"id":2%[1]d}]}}`, 3},
		{`mutation { insertMarkedOne(row: {id: %d, name: "x"}) { id name } }`, `{"insertMarkedOne":{"id":%d,"name":"by a trigger"}}`, 4},
		{`mutation { insertOrdersOne(row: {id: %d, customer_id: 1}) { id } }`, `{"insertOrdersOne":{"id":%d}}`, 5},
		{`mutation { deleteCustomersByPk(id: 2%d) { id } }`, `{"deleteCustomersByPk":{"id":2%d}}`, 4},
	} {
		asked := int64(1 << 30)
		for i := range 4 { // the first of them may have to connect, and what looks at the source meanwhile takes turns of its own
			before := c.count.Load()
			want := line.want
			if strings.Contains(want, "%") {
				want = fmt.Sprintf(want, 100+i)
			}
			if got := short(t, g.query(t, ann, fmt.Sprintf(line.text, 100+i))); got != want {
				t.Errorf("%s\ngot  %s\nwant %s", line.text, got, want)
			}
			if i > 0 {
				asked = min(asked, c.count.Load()-before)
			}
		}
		if asked != line.turns {
			t.Errorf("%s\ntakes %d turns, not %d", line.text, asked, line.turns)
		}
	}
}
