package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// bulk is an import that is large: one file of CSV, sent by one client. What its rows of the
// report count as a request are bulkUnit of its lines; the times are those of the whole file.
var bulk = workload{name: "Bulk", title: "import one file of a million rows of CSV (quick: a tenth), by one client: throughput in 1000 rows, times of the whole file", path: "/import/entries"}

const bulkUnit = 1000

// byPsql is PostgreSQL's own client, which sends the file as it lies there: it
// has the tenant in each row, and nobody checks anything.
const byPsql kind = `psql \copy`

// bulkColumns are those of the file, in its order.
const bulkColumns = "reference,customer,amount,quantity"

// bulkFiles writes the rows twice: as a client sends them, and for psql.
func (s *stage) bulkFiles(tenant string) (sent, copied string, err error) {
	sent, copied = filepath.Join(s.folder, "bulk.csv"), filepath.Join(s.folder, "bulk-copied.csv")
	err = errors.Join(s.bulkFile(sent, bulkColumns+"\n", ""), s.bulkFile(copied, "", tenant+","))
	return sent, copied, err
}

func (s *stage) bulkFile(name, head, before string) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	_, _ = w.WriteString(head) // an error is kept to the end
	for n := range s.plan.bulk {
		_, _ = fmt.Fprintf(w, "%snew%d,Customer %d,%s,%d\n", before, n, n%300, appendCents(nil, 100+n%50_000), 1+n%10)
	}
	return w.Flush()
}

// bulk measures the import in each way in turn. Each has an empty table before it.
func (s *stage) bulk(ctx context.Context, usher *server) (*row, error) {
	tenant := s.plan.data.rotated()[0]
	sent, copied, err := s.bulkFiles(tenant)
	if err != nil {
		return nil, err
	}
	defer func() { _ = errors.Join(os.Remove(sent), os.Remove(copied)) }()
	r := &row{workload: bulk, clients: 1, rounds: make(map[string][]round), counted: make(map[string]counters)}
	r.servers = append(s.only(byHand), &server{name: string(byPsql), kind: byPsql})
	if usher != nil {
		r.servers = append(r.servers, usher)
	}
	for i := range s.plan.bulkRounds {
		for j := range r.servers {
			v := r.servers[(i+j)%len(r.servers)]
			if err := s.emptied(ctx); err != nil {
				return nil, err
			}
			var measured round
			if v.kind == byPsql {
				measured, err = s.copied(ctx, copied)
			} else {
				measured, err = s.sent(ctx, v, sent, s.tokens[tenant][0])
			}
			if err == nil {
				err = s.arrived(ctx, tenant)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", v.name, err)
			}
			r.rounds[v.name] = append(r.rounds[v.name], measured)
			progress("%s, round %d: %-14s %d rows in %s", bulk.name, i+1, v.name, s.plan.bulk, measured.elapsed.Round(time.Millisecond))
		}
	}
	return r, s.emptied(ctx)
}

func (s *stage) emptied(ctx context.Context) error {
	return s.cluster.do(shopC, func(db *sql.DB) error { return execute(ctx, db, "TRUNCATE entries", "CHECKPOINT") })
}

// arrived tells whether the rows of the file are there, as the tenant's, and no other.
func (s *stage) arrived(ctx context.Context, tenant string) error {
	var all, its, references int
	var cents, want int64
	for n := range s.plan.bulk {
		want += int64(100 + n%50_000)
	}
	return s.cluster.do(shopC, func(db *sql.DB) error {
		err := db.QueryRowContext(ctx, "SELECT count(*), count(*) FILTER (WHERE tenant_id = $1), count(DISTINCT reference), (sum(amount) * 100)::bigint FROM entries", tenant).
			Scan(&all, &its, &references, &cents)
		if err == nil && (all != s.plan.bulk || its != all || references != all || cents != want) {
			err = fmt.Errorf("of %d rows %d are there, %d of them the tenant's, of %d references; the sum is %d in place of %d", s.plan.bulk, all, its, references, cents, want)
		}
		return err
	})
}

// sent has a server import the file, and looks at what it takes meanwhile.
func (s *stage) sent(ctx context.Context, v *server, name, token string) (out round, err error) {
	file, err := os.Open(name)
	if err != nil {
		return out, err
	}
	defer func() { _ = file.Close() }()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+v.address+bulk.path, file)
	if err != nil {
		return out, err
	}
	request.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"text/csv"}}
	before, err := s.used(v)
	if err != nil {
		return out, err
	}
	ended, resident := make(chan struct{}), make(chan int64, 1)
	go func() { resident <- mostResident(v.process.pid(), ended) }()
	began := time.Now()
	response, err := http.DefaultClient.Do(request)
	var answer []byte
	if err == nil {
		answer, err = io.ReadAll(response.Body)
		err = errors.Join(err, response.Body.Close())
	}
	out = s.wholeFile(time.Since(began))
	close(ended)
	out.memory = <-resident
	if err != nil {
		return out, err
	}
	if response.StatusCode != http.StatusOK {
		return out, fmt.Errorf("the import is answered %s: %.500s", response.Status, answer)
	}
	after, err := s.used(v)
	out.gateway, out.database = after.gateway-before.gateway, after.database-before.database
	return out, err
}

func (s *stage) wholeFile(elapsed time.Duration) round {
	return round{requests: s.plan.bulk / bulkUnit, elapsed: elapsed, latencies: []time.Duration{elapsed}}
}

// mostResident is the most memory that a process has, as often as it is looked at.
func mostResident(pid int, ended <-chan struct{}) (most int64) {
	for {
		if bytes, err := memory(pid); err == nil {
			most = max(most, bytes)
		}
		select {
		case <-ended:
			return most
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// copied has psql copy the file.
func (s *stage) copied(ctx context.Context, name string) (out round, err error) {
	before, _, err := usage(s.cluster.process.pid(), true)
	if err != nil {
		return out, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(s.cluster.programs, "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", //nolint:gosec // PostgreSQL's own program
		"--command=\\copy entries (tenant_id,"+bulkColumns+") FROM '"+name+"' (FORMAT csv)", s.cluster.dsn(reader, shopC))
	began := time.Now()
	said, err := cmd.CombinedOutput()
	out = s.wholeFile(time.Since(began))
	if err != nil {
		return out, fmt.Errorf("%w: %.500s", err, said)
	}
	out.gateway = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		out.memory = used.Maxrss << 10
	}
	if err := s.left(ctx, "psql"); err != nil { // a session that ends while it is counted is in neither sum
		return out, err
	}
	database, _, err := usage(s.cluster.process.pid(), true)
	out.database = database - before
	return out, err
}

// left waits until a program has no session any more.
func (s *stage) left(ctx context.Context, application string) error {
	return s.cluster.do(shopC, func(db *sql.DB) error {
		for {
			var sessions int
			err := db.QueryRowContext(ctx, "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", application).Scan(&sessions)
			if err != nil || sessions == 0 {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Millisecond):
			}
		}
	})
}
