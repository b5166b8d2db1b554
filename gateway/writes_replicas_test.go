package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// TestWritesAreReadBehindReplicas: a replica that replays nothing is read from by those whose rows
// have not changed; who has written reads what was written, and goes back to the replica when
// that has it.
func TestWritesAreReadBehindReplicas(t *testing.T) {
	t.Parallel()
	first := pgtest.StartOwn(t)
	db := first.Database(t)
	db.Exec(t, writtenTables+`CREATE VIEW servers AS SELECT 1 AS id, current_setting('port')::int AS port;`)
	second := first.Standby(t)
	replica := db.On(second)
	g := openWrittenAs(t, db, func(text string) string {
		return strings.Replace(text, fmt.Sprintf("host: 127.0.0.1, port: %d", db.Port),
			fmt.Sprintf("hosts: [{host: 127.0.0.1, port: %d}, {host: 127.0.0.1, port: %d, role: replica}], max_lag: 10m", first.Port, second.Port), 1) +
			"  servers: {common: true, source: shop, key: id, columns: {id: Int!, port: Int!}}\n"
	})
	ann, bob := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), g.keyOf(t, "bob", "b", "READ_DATA, WRITE_DATA")
	reads := func(token string, s *pgtest.Server) bool {
		return short(t, g.query(t, token, `{ servers { port } }`)) == fmt.Sprintf(`{"servers":[{"port":%d}]}`, s.Port)
	}
	program.Soon(t, program.Patience, "reading from the replica", func() bool { return reads(ann, second) && reads(bob, second) })
	replica.Exec(t, "SELECT pg_wal_replay_pause()")
	for i := range 3 {
		if got := short(t, g.query(t, ann, fmt.Sprintf(`mutation { insertOrdersOne(row: {id: %d, note: "n%[1]d"}) { id } }`, 100+i))); got != fmt.Sprintf(`{"insertOrdersOne":{"id":%d}}`, 100+i) {
			t.Fatal(got)
		}
		want := fmt.Sprintf(`{"orders":[{"id":%d}]}`, 100+i)
		for range 3 {
			if got := short(t, g.query(t, ann, fmt.Sprintf(`{ orders(where: {id: {eq: %d}}) { id } }`, 100+i))); got != want {
				t.Errorf("what was written is not read: %s", got)
			}
		}
		if !reads(ann, first) {
			t.Error("who has written reads from the replica")
		}
		if !reads(bob, second) {
			t.Error("another tenant does not read from the replica")
		}
	}
	if !reads(g.root, first) {
		t.Error("who reads rows of all tenants does not read what was written")
	}
	replica.Exec(t, "SELECT pg_wal_replay_resume()")
	program.Soon(t, program.Patience, "reading from the replica again", func() bool { return reads(ann, second) })
	if got := short(t, g.query(t, ann, `{ orders(where: {id: {gte: 100}}) { id } }`)); got != `{"orders":[{"id":100},{"id":101},{"id":102}]}` {
		t.Errorf("the replica has %s", got)
	}
}
