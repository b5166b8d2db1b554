package main

import (
	"context"
	"crypto/md5" //nolint:gosec // ids of rows, as PostgreSQL makes them
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lib/pq"
)

// absent is a row of no figures like the others': usher has no such capability yet.
type absent struct{ name, title, note string }

// entriesTables is the table that is written, made anew for each run: its rows are
// the tenants' own, each with some to change. The second one is what servers
// note of who wrote what.
const entriesTables = `
DROP TABLE IF EXISTS entries, written;
CREATE TABLE entries (tenant_id text NOT NULL, id uuid NOT NULL DEFAULT gen_random_uuid(), reference text NOT NULL, customer text NOT NULL,
	amount numeric(12,2) NOT NULL, quantity int NOT NULL, PRIMARY KEY (tenant_id, id));
CREATE TABLE written (at timestamptz NOT NULL DEFAULT now(), tenant text NOT NULL, subject text NOT NULL, kind text NOT NULL, dataset text NOT NULL, count int NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON entries TO ` + reader + `;
GRANT INSERT ON written TO ` + reader + `;`

const entriesRows = `INSERT INTO entries SELECT t, md5(t || '/' || i)::uuid, 'ref' || i, 'Customer ' || i, i, i FROM unnest($1::text[]) AS t, generate_series(0, 999) AS i`

// writing are the workloads that write. Their values are never the same, and
// each says how many rows one request adds.
var writing = []workload{
	{
		name: "Insert", title: "insert one row", needs: "insertEntriesOne", inserts: 1,
		documents: map[kind]string{byHand: "", ofUsher: `mutation Insert($row: EntriesInsert!) { insertEntriesOne(row: $row) { reference amount } }`},
		variables: `{"row":@}`, value: someEntry,
	},
	{
		name: "Insert_plain", title: "the same, beside a baseline that checks nothing", needs: "insertEntriesOne", inserts: 1,
		documents: map[kind]string{byHand: "", ofUsher: `mutation Insert_plain($row: EntriesInsert!) { insertEntriesOne(row: $row) { reference amount } }`},
		variables: `{"row":@}`, value: someEntry,
	},
	{
		name: "Insert_1000", title: "insert 1000 rows in one mutation", needs: "insertEntries", inserts: 1000,
		documents: map[kind]string{byHand: "", ofUsher: `mutation Insert_1000($rows: [EntriesInsert!]!) { insertEntries(rows: $rows) { affected } }`},
		variables: `{"rows":[@]}`, value: func(out []byte, of *holding, n int) []byte {
			return someEntries(out, of, n, ",")
		},
	},
	{
		name: "Update", title: "update one row by its key", needs: "updateEntriesByPk",
		documents: map[kind]string{byHand: "", ofUsher: `mutation Update($id: UUID!) { updateEntriesByPk(id: $id, set: {quantity: 7}) { id quantity } }`},
		variables: `{"id":"@"}`, value: someEntryID,
	},
	{
		name: "Import", title: "import 1000 lines of NDJSON", needs: "insertEntries", inserts: 1000, path: "/import/entries",
		documents: map[kind]string{byHand: "@", ofUsher: "@"}, value: func(out []byte, of *holding, n int) []byte {
			return someEntries(out, of, n, "\n")
		},
	},
}

const entriesEach = 1000

func someEntry(out []byte, _ *holding, n int) []byte {
	out = strconv.AppendInt(append(out, `{"reference":"new`...), int64(n), 10)
	out = strconv.AppendInt(append(out, `","customer":"Customer `...), int64(n%300), 10)
	out = appendCents(append(out, `","amount":`...), 100+n%50_000)
	out = strconv.AppendInt(append(out, `,"quantity":`...), int64(1+n%10), 10)
	return append(out, '}')
}

func someEntries(out []byte, of *holding, n int, between string) []byte {
	for i := range entriesEach {
		if i > 0 {
			out = append(out, between...)
		}
		out = someEntry(out, of, n*entriesEach+i)
	}
	return out
}

// someEntryID is the id of a row that there was from the start.
func someEntryID(out []byte, of *holding, n int) []byte {
	sum := md5.Sum(fmt.Appendf(nil, "%s/%d", of.tenant, n%entriesEach)) //nolint:gosec // no secret
	return fmt.Appendf(out, "%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:])
}

// castWriter starts the usher that may write, or says why there is none: that
// ends no run.
func (s *stage) castWriter(ctx context.Context) (_ *server, why error, _ error) {
	err := s.cluster.do(shopC, func(db *sql.DB) error {
		if err := execute(ctx, db, entriesTables); err != nil {
			return err
		}
		_, err := db.ExecContext(ctx, entriesRows, pq.Array(s.plan.data.rotated()))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	how := setting{shop: shopC, store: true, tenants: s.plan.data.tenants, writes: true}
	v := s.newUsher("usher", s.usher)
	v.config, v.tenants = "writes", s.plan.data.rotated()
	if err := s.configure(v.config, how); err != nil {
		return nil, nil, err
	}
	if err := s.register(ctx, v.config, how.tenants); err != nil {
		if strings.Contains(err.Error(), "writable") {
			err = errNoWrites
		}
		return nil, err, ctx.Err()
	}
	if err := s.start(ctx, v); err != nil {
		return nil, err, ctx.Err()
	}
	return v, nil, nil
}

var errNoWrites = errors.New("usher's configuration knows no `writable`")

// offers tells whether a root type of usher's schema has a field: "" asks for
// the type itself.
func (s *stage) offers(ctx context.Context, v *server, root, field string) (bool, error) {
	w := workload{name: "Offers", documents: map[kind]string{ofUsher: `query Offers { __schema { ` + root + ` { fields { name } } } }`}}
	askers, err := s.askersOf(v, w)
	if err != nil {
		return false, err
	}
	got, err := v.ask(ctx, w, askers, 1)
	if err != nil {
		return false, err
	}
	for _, answer := range got {
		var schema struct {
			Schema map[string]*struct {
				Fields []struct{ Name string }
			} `json:"__schema"`
		}
		body, err := data(answer)
		if err != nil {
			return false, err
		}
		if err := json.Unmarshal(body, &schema); err != nil || schema.Schema[root] == nil {
			return false, err
		}
		for _, f := range schema.Schema[root].Fields {
			if f.Name == field {
				return true, nil
			}
		}
	}
	return false, nil
}

// prepared measures the rows of capabilities that usher may not have yet.
func (s *stage) prepared(ctx context.Context, r *results) (err error) {
	var ones []workload
	for _, w := range writing {
		if s.plan.names(w) {
			ones = append(ones, w)
		}
	}
	live := s.plan.names(workload{name: liveName})
	if len(ones) == 0 && !live && !s.plan.names(bulk) {
		return nil
	}
	v, why, err := s.castWriter(ctx)
	if err != nil {
		return err
	}
	if v != nil {
		defer func() { err = errors.Join(err, v.process.stop()) }()
	}
	for _, w := range ones {
		can := v != nil
		if can {
			if can, err = s.offers(ctx, v, "mutationType", w.needs); err != nil {
				return err
			}
			why = fmt.Errorf("usher's schema has no `%s`", w.needs)
		}
		servers := s.only(byHand)
		if can {
			servers = append(servers, v)
		} else {
			r.absent = append(r.absent, absent{w.name, w.title, "not yet: " + cell(why)})
		}
		rows, err := s.workload(ctx, w, servers)
		if err != nil {
			return err
		}
		r.rows = append(r.rows, rows...)
	}
	if s.plan.names(bulk) {
		row, err := s.bulk(ctx, v)
		if err != nil {
			return err
		}
		r.rows = append(r.rows, row)
	}
	if live {
		note, err := s.live(ctx, v)
		if err != nil {
			note = "failed: " + cell(err)
		}
		r.absent = append(r.absent, absent{liveName, liveTitle, note})
	}
	return ctx.Err()
}

// only are the servers of a kind.
func (s *stage) only(k kind) (out []*server) {
	for _, v := range s.servers {
		if v.kind == k {
			out = append(out, v)
		}
	}
	return out
}

// entriesNow is how many rows there are.
func (s *stage) entriesNow(ctx context.Context) (n int, err error) {
	err = s.cluster.do(shopC, func(db *sql.DB) error { return db.QueryRowContext(ctx, "SELECT count(*) FROM entries").Scan(&n) })
	return n, err
}
