package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"usher/catalog"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/pgtest"
	"usher/value"
)

// rig is an account whose statements go together when it says so.
type rig struct{ *DB }

// The statements of packets. Each says in its rows whose it is.
const (
	listText   = "SELECT $1::text, g::int8 FROM generate_series(1, $2::int) AS g"
	pointText  = "SELECT $1::text, n::int8 FROM public.points WHERE id = $2::int8"
	divideText = "SELECT $1::text, (12 / ($2::int8 - g))::int8 FROM generate_series(1, 5) AS g"
	sleepText  = "SELECT $1::text, 1::int8 FROM pg_sleep($2::float8)"
	endText    = "SELECT $1::text, (pg_terminate_backend(pg_backend_pid()) IS NULL)::int::int8 WHERE $2 = 'end'"
)

func newRig(t *testing.T) (rig, pgtest.DB) {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, "CREATE TABLE points (id int8 PRIMARY KEY, n int4 NOT NULL); INSERT INTO points SELECT i, i * 10 FROM generate_series(0, 99) AS i")
	source, err := Open(catalog.PostgresSpec{
		Host: db.Host, Port: db.Port, Database: db.Name, User: db.User, Password: db.Password, SSLMode: "disable", MaxConns: 8,
	}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.Close() })
	source.packets.brief = time.Hour
	return rig{source}, db
}

// ask asks as datasource does.
func (r rig) ask(ctx context.Context, text string, args []string, take func(value.Rows) error) error {
	if ride, err := r.Together(ctx, text, args, take); ride.Asked {
		return err
	}
	return r.Session(ctx, false, func(s sqlexec.Session) error {
		rows, err := s.(sqlexec.Plans).QueryForAll(ctx, text, args)
		if err != nil {
			return err
		}
		return take(rows)
	})
}

// lines asks for all rows.
func (r rig) lines(ctx context.Context, text string, args ...string) (string, error) {
	var lines []string
	err := r.ask(ctx, text, args, func(rows value.Rows) error {
		lines = nil
		for rows.Next() {
			lines = append(lines, fmt.Sprintf("%s %d", rows.Cell(0).Text, rows.Cell(1).Int))
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	return strings.Join(lines, ","), err
}

// fataler is a test, or a round of one.
type fataler interface{ Fatal(args ...any) }

// warm has the connection that is taken next know the statements, and that they are short.
func (r rig) warm(t fataler) {
	for range 2 {
		for text, arg := range map[string]string{listText: "1", pointText: "1", divideText: "9", sleepText: "0", endText: "no"} {
			if _, err := r.lines(context.Background(), text, "warm", arg); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// together has all ask, and what they ask go in as few packets as may be, in this order.
func (r rig) together(t fataler, askers ...func()) (wait func()) {
	return r.served(t, func() {}, askers...)
}

// served is together, and calls begun when they have left the line.
func (r rig) served(t fataler, begun func(), askers ...func()) (wait func()) {
	k := r.packets
	k.mu.Lock()
	k.flying += k.most
	k.mu.Unlock()
	var all sync.WaitGroup
	for i, ask := range askers {
		all.Go(ask)
		k.await(t, func() bool { return len(k.line) == i+1 })
	}
	k.mu.Lock()
	k.flying -= k.most
	most := k.most
	k.most = 1
	k.serve()
	k.most = most
	k.mu.Unlock()
	begun()
	return func() {
		all.Wait()
		k.await(t, func() bool { return k.flying == 0 && len(k.line) == 0 })
	}
}

// await waits until it is so, which is looked at with the lock.
func (k *packets) await(t fataler, so func() bool) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); ; <-tick.C {
		k.mu.Lock()
		is := so()
		k.mu.Unlock()
		if is {
			return
		}
		if time.Now().After(end) {
			t.Fatal("it does not come to that")
		}
	}
}

// Whoever meets in a packet gets rows of its own or an error of its own, whatever becomes of
// the others: they fail before rows or among them, stop reading, panic, or leave.
func TestPacketsKeepApart(t *testing.T) {
	t.Parallel()
	r, _ := newRig(t)
	together := uint64(0)
	rapid.Check(t, func(t *rapid.T) {
		r.warm(t)
		before := r.packets.shared
		n := rapid.IntRange(2, 2*maxRiders).Draw(t, "callers")
		askers := make([]func(), n)
		errs := make([]error, n)
		begun := make(chan struct{})
		for i := range n {
			kind := rapid.SampledFrom([]string{"list", "list", "point", "point", "fails", "fails late", "stops", "panics", "left", "long"}).Draw(t, "kind")
			whose, size := fmt.Sprintf("tenant%d", i), rapid.IntRange(0, 90).Draw(t, "size")
			askers[i] = func() { errs[i] = r.alone(kind, whose, size, begun) }
		}
		r.served(t, func() { close(begun) }, askers...)()
		for i, err := range errs {
			if err != nil {
				t.Errorf("caller %d: %v", i, err)
			}
		}
		together = max(together, r.packets.shared-before)
	})
	if together < 2 {
		t.Error("nothing ever went together")
	}
}

// alone asks one statement and says what is wrong with the answer.
func (r rig) alone(kind, whose string, size int, begun <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	text, arg, want := listText, fmt.Sprint(size), make([]string, size)
	for i := range want {
		want[i] = fmt.Sprintf("%s %d", whose, i+1)
	}
	var code fault.Code
	switch kind {
	case "point":
		text, want = pointText, []string{fmt.Sprintf("%s %d", whose, size*10)}
	case "fails", "fails late":
		text, arg, want, code = divideText, map[string]string{"fails": "1", "fails late": "4"}[kind], nil, fault.Unavailable
	case "stops", "panics":
		stopped := errors.New("enough")
		err := r.ask(ctx, text, []string{whose, "5"}, func(rows value.Rows) error {
			if !rows.Next() || string(rows.Cell(0).Text) != whose {
				return fmt.Errorf("rows of another: %s", rows.Cell(0).Text)
			}
			if kind == "panics" {
				panic("a reader")
			}
			return stopped
		})
		if kind == "stops" && !errors.Is(err, stopped) || kind == "panics" && fault.From(err).Code != fault.Internal {
			return fmt.Errorf("%s: %w", kind, err)
		}
		return nil
	case "left":
		go func() {
			<-begun
			cancel()
		}()
		if got, err := r.lines(ctx, text, whose, arg); err == nil && got != strings.Join(want, ",") {
			return fmt.Errorf("who left got %s", got)
		}
		return nil
	case "long":
		whose += strings.Repeat("x", maxPacket/2)
		for i := range want {
			want[i] = fmt.Sprintf("%s %d", whose, i+1)
		}
	}
	got, err := r.lines(ctx, text, whose, arg)
	switch {
	case code != "" && (err == nil || fault.From(err).Code != code):
		return fmt.Errorf("%s: %q, %w", kind, got, err)
	case code == "" && err != nil:
		return fmt.Errorf("%s: %w", kind, err)
	case code == "" && got != strings.Join(want, ","):
		return fmt.Errorf("%s: %.200s in the place of %.200s", kind, got, strings.Join(want, ","))
	}
	return nil
}

// Nobody waits behind a statement that turns out to be slow, and what was sent behind it is read over:
// the connection serves others then.
func TestPacketsDoNotWaitForTheSlow(t *testing.T) {
	t.Parallel()
	r, _ := newRig(t)
	r.warm(t)
	r.packets.brief = 300 * time.Millisecond
	slow, others := make(chan struct{}), make(chan error, 3)
	var first []func()
	first = append(first, func() {
		defer close(slow)
		if got, err := r.lines(context.Background(), sleepText, "slow", "3"); got != "slow 1" || err != nil {
			t.Errorf("the slow one: %s, %v", got, err)
		}
	})
	for i := range cap(others) {
		first = append(first, func() {
			whose := fmt.Sprintf("tenant%d", i)
			got, err := r.lines(context.Background(), pointText, whose, "7")
			if got != whose+" 70" {
				err = fmt.Errorf("%s, %w", got, err)
			}
			others <- err
		})
	}
	before := r.packets.shared
	wait := r.together(t, first...)
	for range cap(others) {
		select {
		case err := <-others:
			if err != nil {
				t.Error(err)
			}
		case <-slow:
			t.Fatal("the others have waited")
		}
	}
	wait()
	if r.packets.shared-before != 4 {
		t.Errorf("%d went together", r.packets.shared-before)
	}
	if got, err := r.lines(t.Context(), listText, "next", "1"); got != "next 1" || err != nil {
		t.Errorf("the next: %s, %v", got, err)
	}
	if n := r.Stats().Open; n > 4 {
		t.Errorf("%d connections", n)
	}
}

// The server keeps the answers before a statement that turns out to be slow, and whoever they are for
// does not wait for it either.
func TestPacketsDoNotWaitForWhoComesBehind(t *testing.T) {
	t.Parallel()
	r, _ := newRig(t)
	r.warm(t)
	r.packets.brief = 150 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	others := make(chan error, 3)
	point := func(whose string) func() {
		return func() {
			got, err := r.lines(t.Context(), pointText, whose, "7")
			if err == nil && got != whose+" 70" {
				err = errors.New(got)
			}
			others <- err
		}
	}
	slow := func() {
		if got, err := r.lines(ctx, sleepText, "slow", "60"); err == nil {
			t.Errorf("the slow one: %s", got)
		}
	}
	before := r.packets.shared
	wait := r.together(t, point("first"), point("second"), slow, point("last"))
	for range cap(others) {
		select {
		case err := <-others:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("the others wait")
		}
	}
	cancel()
	wait()
	if r.packets.shared-before != 4 {
		t.Errorf("%d went together", r.packets.shared-before)
	}
}

// Whoever reads first does not pay for what the server did for the others.
func TestPacketsArePaidByAll(t *testing.T) {
	t.Parallel()
	r, _ := newRig(t)
	r.warm(t)
	const each = 200 * time.Millisecond
	askers := make([]func(), 4)
	took := make([]time.Duration, len(askers))
	for i := range askers {
		askers[i] = func() {
			began := time.Now()
			ride, err := r.Together(t.Context(), sleepText, []string{"tenant", "0.2"}, func(rows value.Rows) error { return rows.Close() })
			if took[i] = time.Since(began) - ride.Waited; !ride.Shared || err != nil {
				t.Errorf("%+v, %v", ride, err)
			}
		}
	}
	r.together(t, askers...)()
	if least, most := slices.Min(took), slices.Max(took); least < each/2 || most > 3*each {
		t.Errorf("each is to pay for %s: %s", each, took)
	}
}

// What has failed costs those behind it a second way to the server, once: the next time it goes alone.
func TestPacketsOfWhatFails(t *testing.T) {
	t.Parallel()
	r, _ := newRig(t)
	r.warm(t)
	for i := range 2 {
		askers := []func(){func() {
			if got, err := r.lines(t.Context(), divideText, "fails", "1"); fault.From(err).Code != fault.Unavailable {
				t.Errorf("what fails: %s, %v", got, err)
			}
		}}
		for i := range 3 {
			askers = append(askers, func() {
				whose := fmt.Sprintf("tenant%d", i)
				if got, err := r.lines(t.Context(), pointText, whose, "7"); got != whose+" 70" || err != nil {
					t.Errorf("%s: %s, %v", whose, got, err)
				}
			})
		}
		before := r.packets.shared
		r.together(t, askers...)()
		if got := r.packets.shared - before; (got == 4) != (i == 0) {
			t.Errorf("%d went together the time %d", got, i+1)
		}
	}
}

// A packet has no more rows than a server answers in its turn, unless so many wait that
// nobody would be answered sooner in another one.
func TestPacketsAreNotMuch(t *testing.T) {
	t.Parallel()
	r, _ := newRig(t)
	for _, c := range []struct {
		askers, rows int
		least, most  uint64 // that go together
	}{{4, maxRows / 4, 4, 4}, {4, maxRows/4 + 1, 3, 3}, {2, maxRows, 0, 0}, {2 * maxRiders, maxRows, 4, 2 * maxRiders}} {
		r.warm(t)
		size := fmt.Sprint(c.rows)
		ask := func(whose string) {
			if got, err := r.lines(t.Context(), listText, whose, size); strings.Count(got, whose+" ") != c.rows || err != nil {
				t.Errorf("%s: %s, %v", whose, got, err)
			}
		}
		ask("before")
		askers := make([]func(), c.askers)
		for i := range askers {
			askers[i] = func() { ask(fmt.Sprintf("tenant%d", i)) }
		}
		before := r.packets.shared
		r.together(t, askers...)()
		if got := r.packets.shared - before; got < c.least || got > c.most {
			t.Errorf("of %d with %d rows, %d went together", c.askers, c.rows, got)
		}
	}
}

// Where the source says so, each statement goes alone.
func TestNoPipelining(t *testing.T) {
	t.Parallel()
	for none, packets := range map[bool]int{false: 4 * maxRiders, true: 0} {
		source, err := Open(catalog.PostgresSpec{Host: "127.0.0.1", User: "u", Database: "d", SSLMode: "disable", MaxConns: 8, NoPipelining: none}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := source.Packets(); got != packets {
			t.Errorf("without pipelining %t: %d statements may wait for each other", none, got)
		}
		if none {
			if ride, err := source.Together(t.Context(), "SELECT 1", nil, nil); ride.Asked || err != nil {
				t.Errorf("%+v, %v", ride, err)
			}
		}
		_ = source.Close()
	}
}

// Whoever gives up costs the others nothing: their statements are not canceled with it, and the
// one that gave up ends in time.
func TestPacketsOutliveWhoGivesUp(t *testing.T) {
	t.Parallel()
	r, _ := newRig(t)
	r.warm(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	askers := []func(){func() {
		began := time.Now()
		_, err := r.lines(ctx, sleepText, "slow", "20")
		if fault.From(err).Code != fault.Timeout || time.Since(began) > 10*time.Second {
			t.Errorf("the slow one: %v after %s", err, time.Since(began))
		}
	}}
	for i := range 5 {
		askers = append(askers, func() {
			whose := fmt.Sprintf("tenant%d", i)
			if got, err := r.lines(t.Context(), pointText, whose, "7"); got != whose+" 70" || err != nil {
				t.Errorf("behind the slow one: %s, %v", got, err)
			}
		})
	}
	before := r.packets.shared
	r.together(t, askers...)()
	if r.packets.shared-before != 6 {
		t.Errorf("%d went together", r.packets.shared-before)
	}
}

// When a connection is lost under a packet, those that were not answered are asked again,
// and only who ended it fails.
func TestPacketsOfALostConnection(t *testing.T) {
	t.Parallel()
	r, _ := newRig(t)
	r.warm(t)
	var askers []func()
	for i := range 6 {
		whose := fmt.Sprintf("tenant%d", i)
		askers = append(askers, func() {
			if i == 2 {
				if _, err := r.lines(t.Context(), endText, whose, "end"); fault.From(err).Code != fault.Unavailable {
					t.Errorf("who ended it: %v", err)
				}
				return
			}
			if got, err := r.lines(t.Context(), pointText, whose, "7"); got != whose+" 70" || err != nil {
				t.Errorf("%s: %s, %v", whose, got, err)
			}
		})
	}
	before := r.packets.shared
	r.together(t, askers...)()
	if r.packets.shared-before != 6 {
		t.Errorf("%d went together", r.packets.shared-before)
	}
}

// A table that is altered costs those no answer whose statements were prepared before.
func TestPacketsOfAnAlteredTable(t *testing.T) {
	t.Parallel()
	r, db := newRig(t)
	const text = "SELECT $1::text, id, n FROM public.points WHERE id = $2::int8"
	for range 2 {
		if _, err := r.lines(t.Context(), text, "warm", "1"); err != nil {
			t.Fatal(err)
		}
	}
	db.Exec(t, "ALTER TABLE points ALTER n TYPE int8")
	var askers []func()
	for i := range 4 {
		askers = append(askers, func() {
			whose := fmt.Sprintf("tenant%d", i)
			if got, err := r.lines(t.Context(), text, whose, "7"); got != whose+" 7" || err != nil {
				t.Errorf("%s: %s, %v", whose, got, err)
			}
		})
	}
	r.together(t, askers...)()
}

// Statements go alone where what a connection is set to is another's to say, or where there are few.
func TestPacketsAreForPlainAccounts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spec catalog.PostgresSpec
		opts Options
		most int
	}{
		"plain":          {catalog.PostgresSpec{}, Options{}, 4},
		"few":            {catalog.PostgresSpec{MaxConns: 3}, Options{}, 0},
		"session pooler": {catalog.PostgresSpec{Pooler: catalog.SessionPooler}, Options{}, 0},
		"transactions":   {catalog.PostgresSpec{Pooler: catalog.TransactionPooler}, Options{}, 0},
		"writes":         {catalog.PostgresSpec{}, Options{Writes: true}, 0},
		"traces":         {catalog.PostgresSpec{}, Options{Traces: true}, 0},
		"a role":         {catalog.PostgresSpec{}, Options{Session: catalog.Session{Role: "reader"}}, 0},
	} {
		spec := c.spec
		spec.Host, spec.Database, spec.User, spec.SSLMode = "127.0.0.1", "d", "u", "disable"
		db, err := Open(spec, c.opts)
		if err != nil {
			t.Fatal(err)
		}
		if got := db.Packets(); got != c.most*maxRiders {
			t.Errorf("%s: %d", name, got)
		}
		_ = db.Close()
	}
}
