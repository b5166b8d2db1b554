// Package outage says in the log that something does not work, for as long as it does not, without
// saying so again and again: when it begins, when it has another reason, each minute with how often
// it was tried in vain, and once when it is over.
package outage

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// again is after how long it is said that something still does not work.
const again = time.Minute

// most bounds the reasons that are remembered; further ones are said with the next minute.
const most = 8

// Outage is one thing that may not work. Its zero value works. It is safe for concurrent use.
type Outage struct {
	mu      sync.Mutex
	began   time.Time       // zero: it works
	said    time.Time       // when it was said last that it still does not work
	reasons map[string]bool // said since then
	tried   int             // in vain since it began
}

// Lasts says at most what is new of a failure.
func (o *Outage) Lasts(ctx context.Context, log *slog.Logger, message string, err error, attrs ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if o.began.IsZero() {
		o.began, o.said, o.reasons, o.tried = now, now, map[string]bool{}, 0
	}
	o.tried++
	reason := sameReason(err)
	switch {
	case now.Sub(o.said) >= again:
		o.said = now
		clear(o.reasons)
	case o.reasons[reason] || len(o.reasons) == most:
		return
	}
	o.reasons[reason] = true
	if o.tried > 1 {
		attrs = append(attrs, "tried", o.tried, "for", now.Sub(o.began).Round(time.Second).String())
	}
	log.WarnContext(ctx, message, append(attrs, "error", err)...)
}

// Over says once that what did not work does.
func (o *Outage) Over(ctx context.Context, log *slog.Logger, message string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.began.IsZero() {
		return
	}
	log.InfoContext(ctx, message, "tried", o.tried, "after", time.Since(o.began).Round(time.Second).String())
	o.began = time.Time{}
}

// sameReason leaves out what differs between two failures for one reason, such as the ports of connections.
func sameReason(err error) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, err.Error())
}
