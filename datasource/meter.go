package datasource

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"usher/datasource/cost"
	"usher/quota"
	"usher/trace"
	"usher/value"
)

// meter is one source's part of the metrics.
type meter struct {
	statements, pipelined, rows, coalesced prometheus.Counter

	duration prometheus.Observer
	costs    *cost.Costs
	traced   bool
}

func (m *metrics) of(source string) *meter {
	return &meter{
		statements: m.statements.WithLabelValues(source), pipelined: m.pipelined.WithLabelValues(source), rows: m.rows.WithLabelValues(source),
		coalesced: m.coalesced.WithLabelValues(source), duration: m.duration.WithLabelValues(source),
		costs: m.costs, traced: m.traced,
	}
}

// metered counts a statement that was sent.
type metered struct {
	next
	meter *meter
}

func (m *metered) ask(ctx context.Context, q *Question) (Answered, error) {
	began, account := time.Now(), quota.From(ctx)
	if q.exports() {
		q.stream.portions = portions{account: account, since: began}
	}
	answered, err := m.next.ask(ctx, q)
	took, rows := time.Since(began)-answered.ride.Waited, rowsRead(q, answered)
	m.meter.sent(q.tenant, took)
	if answered.ride.Shared {
		m.meter.pipelined.Inc()
	}
	m.meter.rows.Add(float64(rows))
	switch {
	case q.exports(): // as long as its reader takes
		account.Spend(time.Since(q.stream.portions.since), 0, 0)
		return answered, err
	case q.stream != nil: // whoever takes its rows counts them
		account.Spend(took, 0, 0)
	default:
		account.Spend(took, rows, int(answered.Held))
	}
	m.meter.took(ctx, took)
	return answered, err
}

// Took implements writing.Meter.
func (m *meter) Took(ctx context.Context, tenant string, took time.Duration) {
	m.sent(tenant, took)
	m.took(ctx, took)
}

// sent counts a statement.
func (m *meter) sent(tenant string, took time.Duration) {
	m.statements.Inc()
	m.costs.Add(tenant, took)
}

// took notes how long a statement took, with its trace if there is one.
func (m *meter) took(ctx context.Context, took time.Duration) {
	if m.traced {
		trace.Observe(ctx, m.duration, took.Seconds())
		return
	}
	m.duration.Observe(took.Seconds())
}

// rowsRead is how many rows a question was answered with.
func rowsRead(q *Question, answered Answered) int {
	if q.stream != nil {
		return q.stream.read
	}
	return rowsOf(answered.Results...)
}

// rowsOf is how many rows results have.
func rowsOf(results ...*value.Result) int {
	n := 0
	for _, r := range results {
		n += r.Len()
	}
	return n
}
