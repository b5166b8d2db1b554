package tenancy_test

import (
	"testing"
	"time"

	"usher/tenancy"
)

// Whatever is used ends unused in time, never later, however short the time is; what is
// used often enough goes on, also after a new start.
func TestIdleEnds(t *testing.T) {
	t.Parallel()
	for _, idle := range []time.Duration{time.Minute, 2 * time.Minute, 30 * time.Minute} {
		t.Run(idle.String(), func(t *testing.T) {
			each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
				c := newClock()
				s := open(tenancy.Options{Clock: c.Now, SessionIdle: idle, SessionLife: 48 * time.Hour})
				ctx := t.Context()
				tenant(t, s, "acme")
				user(t, s, "acme", "ann")
				session := must(s.Login(ctx, tenancy.Credentials{Tenant: "acme", Username: "ann", Password: password})).Token
				for range 30 {
					c.pass(idle * 8 / 10)
					accepted(t, s, session)
					s.Flush(ctx)
					c.pass(idle / 20) // not noted
					accepted(t, s, session)
					if err := s.SetUserStatus(ctx, root(), "acme", "ann", tenancy.Active); err != nil { // read again
						t.Fatal(err)
					}
				}
				c.pass(idle + time.Second)
				refused(t, s, session, tenancy.ErrIdle)
				unused := must(s.Login(ctx, tenancy.Credentials{Tenant: "acme", Username: "ann", Password: password})).Token
				c.pass(idle + time.Second)
				refused(t, s, unused, tenancy.ErrIdle)
			})
		})
	}
}
