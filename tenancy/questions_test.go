package tenancy_test

import (
	"testing"
	"time"

	"usher/audit"
	"usher/principal"
	"usher/tenancy"
)

// Questions are kept for a shorter time than what was administered, changed, exported, or
// asked by who acted as a tenant; and nothing is kept for longer than the rest.
func TestQuestionsHaveATimeOfTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c, ctx := newClock(), t.Context()
		s := open(tenancy.Options{Clock: c.Now, AuditRetention: 48 * time.Hour, ReadsRetention: time.Hour})
		tenant(t, s, "acme")
		question := audit.Of(adminOf("acme"), audit.DataAccess)
		for range 3 {
			s.Audit(question)
		}
		export := question
		export.Detail = "export as csv"
		s.Audit(export)
		s.Audit(audit.Of(principal.Principal{Tenant: "acme", Acting: &principal.Acting{Subject: "root", Reason: "why"}}, audit.DataAccess))
		s.Flush(ctx)
		if err := s.AuditNow(ctx, question); err != nil { // in a chain: nothing is taken out of those
			t.Fatal(err)
		}
		for _, step := range []struct {
			passes time.Duration
			left   int
		}{{59 * time.Minute, 7}, {2 * time.Minute, 4}, {46 * time.Hour, 4}, {2 * time.Hour, 0}} {
			c.pass(step.passes)
			if err := s.Prune(ctx); err != nil {
				t.Fatal(err)
			}
			if n := must(s.Count(ctx, "audit")); n != step.left {
				t.Errorf("after %s more %d entries are left, want %d", step.passes, n, step.left)
			}
		}
		if r := must(s.VerifyAudit(ctx, audit.Seen{}, func(int64) {})); r.Problems != 0 {
			t.Errorf("%+v", r)
		}
	})
}
