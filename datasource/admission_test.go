package datasource

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"usher/admit"
	"usher/fault"
	"usher/pgtest"
	"usher/plan"
)

// shared is a gate over a database of two tenants, of which one asks slow
// questions.
func shared(t *testing.T, opts Options) *gate {
	t.Helper()
	_, db := numbered(t, pgtest.Start(t))
	db.Exec(t, `INSERT INTO items VALUES ('quiet', 1000, 'q');
CREATE TABLE naps (tenant text NOT NULL, id int NOT NULL); INSERT INTO naps VALUES ('loud', 1);
CREATE VIEW slow AS SELECT tenant, id, (pg_sleep(0.3) IS NULL)::text AS nap FROM naps`)
	return open(t, db, opts, `
sources: {a: {`+server(db)+`, max_conns: 4}}
strategies: {shared: {kind: shared, source: a}}
datasets:
  items: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!, note: String!}, bind: {a: {table: items}}}
  everything: {common: true, source: a, key: id, columns: {id: Int!}, bind: {a: {table: items}}}
  slow: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!, nap: String!}, bind: {a: {table: slow}}}
`)
}

// quietly asks the quiet tenant's questions, one after another, and returns how
// long the slowest hundredth took at least.
func quietly(t *testing.T, g *gate, questions int) (p99 time.Duration) {
	t.Helper()
	took := make([]time.Duration, questions)
	for i := range took {
		began := time.Now()
		rows, err := g.ask(named("quiet"), fmt.Sprintf("items(where: {id: {gt: %d}}) { note }", -i))
		if err != nil || len(rows) != 1 {
			t.Fatalf("the quiet tenant is answered %v, %v", rows, err)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took[questions*99/100]
}

// A tenant with fifty workers whose questions are slow leaves another its
// answers: none fails, and none waits for one of the slow ones.
func TestAFloodIsItsTenantsOwn(t *testing.T) {
	t.Parallel()
	g := shared(t, Options{Waiting: admit.Limits{Waiting: 20, Wait: 2 * time.Second}})
	quietly(t, g, 20)
	alone := quietly(t, g, 200)

	var mu sync.Mutex
	var stopped bool
	late := 0 // refusals
	codes := make(map[fault.Code]int)
	var group sync.WaitGroup
	for w := range 50 {
		group.Go(func() {
			for i := w; ; i += 50 {
				began := time.Now()
				_, err := g.ask(named("loud"), fmt.Sprintf("slow(where: {id: {gt: %d}}) { nap }", -i))
				mu.Lock()
				if f := fault.From(err); f == nil {
					codes[""]++
				} else {
					codes[f.Code]++
					if f.RetryAfter <= 0 {
						t.Errorf("%v does not say when to try again", err)
					}
					if f.Code == fault.TooManyRequests && time.Since(began) > time.Second {
						late++
					}
				}
				done := stopped
				mu.Unlock()
				if done {
					return
				}
				if err != nil {
					pass(100 * time.Millisecond)
				}
			}
		})
	}
	pass(500 * time.Millisecond)
	// What waits for a slow question waits each time; a machine that has much to do does not.
	most := alone*3/2 + 100*time.Millisecond
	beside := quietly(t, g, 200)
	for range 3 {
		if beside > most {
			beside = min(beside, quietly(t, g, 200))
		}
	}
	mu.Lock()
	stopped = true
	mu.Unlock()
	group.Wait()
	t.Logf("p99 alone %s, beside the flood %s; the flood gets %v", alone, beside, codes)
	if beside > most {
		t.Errorf("p99 is %s beside the flood, %s alone", beside, alone)
	}
	if codes[""] == 0 || codes[fault.TooManyRequests] == 0 || len(codes) > 3 {
		t.Errorf("the flood gets %v", codes)
	}
	if late > codes[fault.TooManyRequests]/20 {
		t.Errorf("of %d refusals that the line is full %d came after a second", codes[fault.TooManyRequests], late)
	}
	if full := g.metrics.refused.Full.Load(); int(full) != codes[fault.TooManyRequests] {
		t.Errorf("%d refusals are counted, %d were made", full, codes[fault.TooManyRequests])
	}
}

// Equal questions that wait for one that runs take no slot and no place in line.
func TestFollowersTakeNoSlot(t *testing.T) {
	t.Parallel()
	g := shared(t, Options{Waiting: admit.Limits{Waiting: 1}})
	var group sync.WaitGroup
	for range 40 {
		group.Go(func() {
			if _, err := g.ask(named("loud"), "slow { nap }"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// A question that is common to all is not joined across tenants: who asks it
// waits in no other tenant's line, and is not refused for another's flood.
func TestCommonQuestionsWaitInTheirOwnLine(t *testing.T) {
	t.Parallel()
	g := shared(t, Options{Waiting: admit.Limits{Waiting: 20, Wait: time.Minute}})
	var group sync.WaitGroup
	for i := range 19 {
		group.Go(func() {
			if _, err := g.ask(named("loud"), fmt.Sprintf("slow(where: {id: {gt: %d}}) { nap }", -i)); err != nil {
				t.Error(err)
			}
		})
	}
	line := func() int {
		n := 0
		g.accounts.each(func(_ plan.Target, s Source) { n = s.(*database).gate.Waiting() })
		return n
	}
	for line() < 16 {
		pass(time.Millisecond)
	}
	const common = "everything(where: {id: {lt: 3}}) { id }"
	answered := make(chan string, 2)
	ask := func(who string) {
		group.Go(func() {
			if rows, err := g.ask(named(who), common); err != nil || len(rows) != 3 {
				t.Errorf("%s is answered %v, %v", who, rows, err)
			}
			answered <- who
		})
	}
	before := line()
	ask("loud")
	for line() == before {
		pass(time.Millisecond)
	}
	ask("quiet")
	if first := <-answered; first != "quiet" {
		t.Errorf("%s is answered first", first)
	}
	group.Wait()
}
