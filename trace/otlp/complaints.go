package otlp

import (
	"log/slog"
	"sync"
	"time"
)

// complaints are what OpenTelemetry's packages say by themselves: what a collector answers is
// among it, so it is said now and then.
type complaints struct {
	log *slog.Logger
	now func() time.Time

	mu     sync.Mutex
	said   time.Time
	unsaid int
}

// Handle implements otel.ErrorHandler.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if !c.said.IsZero() && now.Sub(c.said) < between {
		c.unsaid++
		return
	}
	c.log.Warn("something is amiss with the traces", "error", err, "unsaid", c.unsaid)
	c.said, c.unsaid = now, 0
}
