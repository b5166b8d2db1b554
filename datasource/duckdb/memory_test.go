package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/catalog"
	"usher/datasource/sqlexec"
	"usher/fault"
)

// tenants are the databases of so many tenants, each with its own number in it.
func tenants(t *testing.T, n int, m *Memory) []*DB {
	t.Helper()
	dir, out := t.TempDir(), make([]*DB, n)
	for i := range out {
		path := filepath.Join(dir, fmt.Sprint(i, ".duckdb"))
		made, err := sql.Open("duckdb", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = made.ExecContext(t.Context(), fmt.Sprintf("CREATE TABLE t AS SELECT %d AS i FROM range(1000)", i)); err != nil {
			t.Fatal(err)
		}
		if err := made.Close(); err != nil {
			t.Fatal(err)
		}
		if out[i], err = Open(catalog.DuckDBSpec{Path: path}, Options{Memory: m}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = out[i].Close() })
	}
	return out
}

// asked is a sum over a tenant's rows, and how many MiB its instance may use.
func (db *DB) asked(ctx context.Context, during func()) (sum, limit float64, err error) {
	err = db.Session(ctx, false, func(s sqlexec.Session) error {
		rows, err := s.Query(ctx, "SELECT sum(i)::DOUBLE, current_setting('memory_limit') FROM t", nil)
		if err != nil {
			return err
		}
		if !rows.Next() {
			return rows.Err()
		}
		sum = rows.Cell(0).Float
		number, _, _ := strings.Cut(string(rows.Cell(1).Text), " ") // 32.0 MiB
		limit, err = strconv.ParseFloat(number, 64)
		during()
		return err
	})
	return sum, limit, err
}

// TestMemoryIsShared: however many tenants have a database file of their own,
// what all instances may use together is bounded, and all are answered.
func TestMemoryIsShared(t *testing.T) {
	t.Parallel()
	const bound, files = 256 << 20, 24
	m := NewMemory(bound)
	dbs := tenants(t, files, m)
	if _, limit, err := dbs[0].asked(t.Context(), func() {}); err != nil || limit != bound/2>>20 {
		t.Fatalf("one alone may use %v MiB, %v", limit, err)
	}
	var group sync.WaitGroup
	for i, db := range dbs {
		group.Go(func() {
			for range 5 {
				sum, limit, err := db.asked(t.Context(), func() {
					m.mu.Lock()
					defer m.mu.Unlock()
					all := int64(0)
					for e := m.open.Front(); e != nil; e = e.Next() {
						all += e.Value.(*instance).limit
					}
					if all != bound-m.free || m.free < 0 || m.open.Len() > bound/leastLimit {
						t.Errorf("%d instances may use %d bytes together, %d are free", m.open.Len(), all, m.free)
					}
				})
				if err != nil || sum != float64(1000*i) || limit < leastLimit>>20 || limit > bound>>20 {
					t.Errorf("tenant %d: %v with %v MiB, %v", i, sum, limit, err)
				}
			}
		})
	}
	group.Wait()
	for _, db := range dbs {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if _, _, err := db.asked(t.Context(), func() {}); err == nil {
			t.Error("a closed database answers")
		}
	}
	if m.free != bound || m.open.Len() != 0 {
		t.Errorf("%d of %d bytes are free, %d are open", m.free, bound, m.open.Len())
	}
}

// TestMemoryIsWaitedFor: when all of it is in use, who comes waits, as long as
// it may, and no longer than until some is free.
func TestMemoryIsWaitedFor(t *testing.T) {
	t.Parallel()
	m := NewMemory(2 * leastLimit)
	dbs := tenants(t, 3, m)
	var busy sync.WaitGroup
	end, began := make(chan struct{}), make(chan struct{})
	for _, db := range dbs[:2] {
		busy.Go(func() {
			if _, _, err := db.asked(t.Context(), func() { began <- struct{}{}; <-end }); err != nil {
				t.Error(err)
			}
		})
	}
	<-began
	<-began
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, _, err := dbs[2].asked(short, func() {}); err == nil || fault.From(err).Code != fault.Timeout {
		t.Errorf("without memory: %v", err)
	}
	got := make(chan error, 1)
	go func() { _, _, err := dbs[2].asked(t.Context(), func() {}); got <- err }()
	close(end)
	if err := <-got; err != nil {
		t.Error(err)
	}
	busy.Wait()
}
