package pgtest

import (
	"context"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Away is a database as it is reached from afar.
type Away struct {
	DB
	trips atomic.Int64
}

// Trips is how often the server was waited for.
func (a *Away) Trips() int64 { return a.trips.Load() }

// Away returns the database as it is reached where each round trip takes so much longer. It ends with the test.
func (db DB) Away(tb testing.TB, trip time.Duration) *Away {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	ctx := context.WithoutCancel(tb.Context())
	server := net.JoinHostPort(db.Host, strconv.Itoa(db.Port))
	a := &Away{DB: db}
	a.URL = strings.Replace(a.URL, server, listener.Addr().String(), 1)
	a.Host, a.Port = "127.0.0.1", listener.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // of a listener on tcp
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go a.serve(ctx, client, server, trip)
		}
	}()
	return a
}

func (a *Away) serve(ctx context.Context, client net.Conn, server string, trip time.Duration) {
	defer func() { _ = client.Close() }()
	there, err := new(net.Dialer).DialContext(ctx, "tcp", server)
	if err != nil {
		return
	}
	defer func() { _ = there.Close() }()
	var answered atomic.Bool
	answered.Store(true)
	go func() { // what is sent is there at once, and its answer comes late
		defer func() { _ = there.Close() }()
		carry(there, client, 0, func() {
			if answered.Swap(false) {
				a.trips.Add(1)
			}
		})
	}()
	carry(client, there, trip, func() { answered.Store(true) })
}

// carry copies what comes, each piece so much later.
func carry(into, from net.Conn, later time.Duration, came func()) {
	type piece struct {
		bytes []byte
		due   time.Time
	}
	pieces := make(chan piece, 1000)
	go func() {
		defer close(pieces)
		for {
			bytes := make([]byte, 32<<10)
			n, err := from.Read(bytes)
			if n > 0 {
				came()
				pieces <- piece{bytes[:n], time.Now().Add(later)}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range pieces {
		<-time.After(time.Until(p.due))
		if _, err := into.Write(p.bytes); err != nil {
			_ = from.Close() // so that nothing more comes
		}
	}
}
