package tenancy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"usher/fault"
	"usher/tenancy/database"
)

// Attempts to log in are counted in the store, so that the count holds over all
// gateways: of a name, from an address, and of a name from an address. Each is
// counted before the password is hashed, as if it had failed, so that many at
// once find no more open than one after the other. A success forgives the name
// all its failures, and the address those that it has because of that name. When
// the store is silent nobody logs in.

// attemptForgotten is after how long a quiet name or address begins anew.
const attemptForgotten = 24 * time.Hour

// maxAttempts bounds how many names and addresses are kept in the store.
const maxAttempts = 1 << 20

// counter is what attempts are counted for.
type counter struct {
	who  string
	free int64 // failures before waiting begins
}

const never = math.MaxInt64

func newCounter(kind, a, b string, free int64) counter {
	sum := sha256.Sum256([]byte(kind + "\x00" + a + "\x00" + b))
	return counter{who: hex.EncodeToString(sum[:]), free: free}
}

// login is whose attempts are counted, in the order in which their rows are
// locked. Without an address only the name's are.
type login struct {
	pair, address counter // zero: the address is not known
	name          counter
}

// login says what an attempt counts for. The separator cannot stand in a
// tenant's id, so names do not meet.
func (s *Store) login(tenant, username, address string) login {
	name := tenant + separator + username
	l := login{name: newCounter("name", name, "", int64(s.opts.FreeAttempts))}
	if from := network(address); from != "" {
		l.address = newCounter("address", from, "", int64(s.opts.AddressFree))
		l.pair = newCounter("pair", from, name, never)
	}
	return l
}

// unlock forgets the failures of a name.
func (t *tx) unlock(tenant, username string) error {
	_, err := t.Exec("DELETE FROM store.attempts WHERE who = $1", t.store.login(tenant, username, "").name.who)
	return err
}

// locked says until when users have to wait, in their order; zero: they need not.
func (s *Store) locked(ctx context.Context, users []User) error {
	if len(users) == 0 {
		return nil
	}
	at, marks := make(map[string]int, len(users)), make([]string, 0, len(users))
	args := []any{micros(s.now())}
	for i, u := range users {
		who := s.login(u.Tenant, u.Username, "").name.who
		at[who] = i
		args = append(args, who)
		marks = append(marks, "$"+strconv.Itoa(len(args)))
	}
	var rows []struct {
		Who  string `db:"who"`
		Open int64  `db:"open_at"`
	}
	if err := s.db.List(ctx, &rows, "SELECT who, open_at FROM store.attempts WHERE open_at > $1 AND who IN ("+strings.Join(marks, ", ")+")", args...); err != nil {
		return database.Translate(ctx, err)
	}
	for _, row := range rows {
		users[at[row.Who]].LockedUntil = moment(row.Open)
	}
	return nil
}

func (l login) counters() []counter {
	if l.address.who == "" {
		return []counter{l.name}
	}
	return []counter{l.pair, l.address, l.name}
}

// network is what is counted as one address: of IPv6 the network of one
// customer, in which they choose freely.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address // of a connection without one, such as a socket's
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}

// reserve counts an attempt, or refuses while one has to wait. That the name
// exists makes no difference.
func (s *Store) reserve(ctx context.Context, l login) error {
	return s.write(ctx, func(t *tx) error {
		for _, c := range l.counters() {
			if err := t.reserve(c); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) reserve(c counter) error {
	var known struct {
		Failures int64 `db:"failures"`
		Open     int64 `db:"open_at"`
		Changed  int64 `db:"changed_at"`
	}
	// The row is locked from here to the end, also where it was there already.
	err := t.Get(&known, `INSERT INTO store.attempts AS a (who, failures, open_at, changed_at) VALUES ($1, 0, 0, $2)
		ON CONFLICT (who) DO UPDATE SET failures = a.failures RETURNING failures, open_at, changed_at`, c.who, micros(t.now))
	if err != nil {
		return err
	}
	if t.now.Sub(moment(max(known.Changed, known.Open))) > attemptForgotten {
		known.Failures, known.Open = 0, 0
	}
	if wait := moment(known.Open).Sub(t.now); wait > 0 {
		locked := fault.New(fault.TooManyRequests, "too many attempts to log in have failed")
		locked.RetryAfter = (wait + time.Second - 1).Truncate(time.Second)
		return locked
	}
	known.Failures++
	known.Open = 0
	if over := known.Failures - c.free; over >= 0 { // each after the free ones doubles the wait
		wait := t.store.opts.MaxLockout
		if over < 20 {
			wait = min(wait, time.Second<<over)
		}
		known.Open = micros(t.now.Add(wait))
	}
	_, err = t.Exec("UPDATE store.attempts SET failures = $2, open_at = $3, changed_at = $4 WHERE who = $1",
		c.who, known.Failures, known.Open, micros(t.now))
	return err
}

// release takes back so many failures.
func (t *tx) release(c counter, failures int64) error {
	_, err := t.Exec(`UPDATE store.attempts SET failures = greatest(failures - $2, 0),
		open_at = CASE WHEN failures - $2 < $3 THEN 0 ELSE open_at END WHERE who = $1`, c.who, failures, c.free)
	return err
}

// resetAttempts is what becomes of the counts when the password was right.
func (t *tx) resetAttempts(l login) error {
	if l.address.who != "" {
		var failures int64
		err := t.Get(&failures, "DELETE FROM store.attempts WHERE who = $1 RETURNING failures", l.pair.who)
		if err != nil && !database.Missing(err) {
			return err
		}
		if err := t.release(l.address, failures); err != nil {
			return err
		}
	}
	_, err := t.Exec("DELETE FROM store.attempts WHERE who = $1", l.name.who)
	return err
}

// releaseAttempt takes back one attempt that has told nobody anything. When that
// does not succeed it stays counted.
func (s *Store) releaseAttempt(ctx context.Context, l login) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	err := s.write(ctx, func(t *tx) error {
		for _, c := range l.counters() {
			if err := t.release(c, 1); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.opts.Log.WarnContext(ctx, "an attempt to log in that was not made stays counted", "error", err)
	}
}

// tryPassword counts an attempt and compares the password. What is counted is to
// be reset when a user is returned.
func (s *Store) tryPassword(ctx context.Context, tenant, username, password, address string) (userRow, login, error) {
	l := s.login(tenant, username, address)
	if err := s.reserve(ctx, l); err != nil {
		return userRow{}, l, err
	}
	user, err := s.identify(ctx, tenant, username, password)
	if err != nil && fault.From(err).Code != fault.Unauthenticated {
		s.releaseAttempt(ctx, l)
	}
	return user, l, err
}

// pruneAttempts forgets quiet names and addresses, and beyond a bound those
// that have the shortest to wait.
func (t *tx) pruneAttempts(most int) error {
	quiet := micros(t.now.Add(-attemptForgotten))
	if _, err := t.Exec("DELETE FROM store.attempts WHERE changed_at < $1 AND open_at < $1", quiet); err != nil {
		return err
	}
	var kept int
	if err := t.Get(&kept, "SELECT count(*) FROM store.attempts"); err != nil || kept <= most {
		return err
	}
	_, err := t.Exec("DELETE FROM store.attempts WHERE who IN (SELECT who FROM store.attempts ORDER BY open_at, changed_at LIMIT $1)", kept-most)
	return err
}
