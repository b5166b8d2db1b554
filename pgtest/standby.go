package pgtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/lib/pq"
)

// Standby starts a standby of the server, which must be the test's own
// (StartOwn): made by pg_basebackup, and fed by streaming replication. It ends
// with the test.
func (s *Server) Standby(tb testing.TB) *Server {
	tb.Helper()
	standby, err := s.startStandby()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(standby.stop)
	return standby
}

// Rejoin throws the data of a server away that has ended and starts it again, on
// its port, as a standby of another.
func (s *Server) Rejoin(tb testing.TB, primary *Server) {
	tb.Helper()
	programs, account, err := tools()
	if err == nil {
		err = os.RemoveAll(s.cluster.data())
	}
	if err == nil {
		err = s.cluster.copyOf(primary, programs, account)
	}
	if err != nil {
		tb.Fatal(err)
	}
	s.Recover(tb)
}

// Promote makes a standby the primary and returns when it is.
func (s *Server) Promote(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), adminTimeout)
	defer cancel()
	var done bool
	if err := s.admin.QueryRowContext(ctx, "SELECT pg_promote(true)").Scan(&done); err != nil || !done {
		tb.Fatalf("promote the standby: %t, %v", done, err)
	}
}

// On is the database of the same name on another server of its cluster.
func (db DB) On(s *Server) DB {
	db.Host, db.Port, db.URL = s.Host, s.Port, s.url(db.Name)
	return db
}

func tools() (programs string, account *syscall.Credential, err error) {
	if programs, err = findPrograms(); err == nil {
		account, err = unprivileged()
	}
	return programs, account, err
}

func (s *Server) startStandby() (_ *Server, err error) {
	programs, account, err := tools()
	if err != nil {
		return nil, err
	}
	c, err := newCluster(account)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	if err := c.copyOf(s, programs, account); err != nil {
		return nil, err
	}
	return c.serve(programs, account, s.Password)
}

// copyOf fills the data folder from a running server, whose standby it is when
// it starts.
func (c *cluster) copyOf(s *Server, programs string, account *syscall.Credential) error {
	info := "host=" + s.Host + " port=" + strconv.Itoa(s.Port) + " user=" + s.User + " password=" + pq.QuoteLiteral(s.Password)
	cmd := c.command(account, filepath.Join(programs, "pg_basebackup"),
		"--dbname="+info, "--pgdata="+c.data(), "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	return nil
}
