package tenancy_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"usher/pgtest"
	"usher/principal"
	"usher/tenancy"
)

// TestMachinesWhoseClocksDiffer: what one gateway does is judged alike by another, however their machines' clocks are set: by
// the clock of the store's server.
func TestMachinesWhoseClocksDiffer(t *testing.T) {
	t.Parallel()
	spec := postgresOf(pgtest.Start(t).Database(t))
	right := open(t, spec, tenancy.Options{})
	for name, by := range map[string]time.Duration{"behind": -10 * time.Minute, "a year ahead": 365 * 24 * time.Hour, "somewhat ahead": 7 * time.Second} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			wrong := open(t, spec, tenancy.Options{Machine: func() time.Time { return time.Now().Add(by) }, Log: slog.New(slog.NewTextHandler(&log, nil)), FreeAttempts: 2, MaxLockout: time.Minute})
			ctx := t.Context()
			if off := time.Until(wrong.Now()).Abs(); off > time.Second {
				t.Fatalf("it is off by %s", off)
			}
			if !strings.Contains(log.String(), "clock of this machine differs") {
				t.Errorf("nobody is told: %s", log.String())
			}
			id := "t" + strings.ReplaceAll(name, " ", "")
			tenant(t, wrong, id)
			// A token that was issued before is revoked by it, and one that is made afterwards is not.
			before := principal.Principal{Subject: "ann", Issuer: "idp", Tenant: id, Issued: time.Now().Add(-time.Minute), Expires: time.Now().Add(time.Hour)}
			must(wrong.Revoke(ctx, root(), tenancy.Revocation{Issuer: "idp", Tenant: id, Subject: "ann"}))
			after := before
			after.Issued = time.Now().Add(30 * time.Second)
			eventually(t, "it is revoked", func() bool { return right.Revoked(before) })
			if right.Revoked(after) || wrong.Revoked(after) || !wrong.Revoked(before) {
				t.Error("a revocation holds for others than those that were issued before it")
			}
			// What it makes ends when it says.
			minted := must(wrong.Mint(ctx, root(), tenancy.TokenRequest{Tenant: id, Subject: "ann", ExpiresAt: right.Now().Add(time.Hour)}))
			if off := time.Until(minted.Expires) - time.Hour; off.Abs() > time.Minute {
				t.Errorf("a token of an hour ends %s off", off)
			}
			accepted(t, right, minted.Token)
			// Both count together.
			limited := must(right.Mint(ctx, root(), tenancy.TokenRequest{Tenant: id, Subject: "ann", Rate: 60}))
			allowed, began := 0, time.Now()
			for n := range 200 {
				if _, err := []*tenancy.Store{right, wrong}[n%2].Authenticate(ctx, limited.Token); err == nil {
					allowed++
				}
			}
			if most := 65 + int(time.Since(began).Seconds()); allowed > most { // a clock that is read is off by as long as that takes
				t.Errorf("%d requests were allowed, and %d may be", allowed, most)
			}
		})
	}
}
