// Package deadline owns how long a source has for what it is asked: as long as it is given, and never
// longer than the request has.
package deadline

import (
	"context"
	"time"
)

// Within is a context that ends after a timeout, unless the request ends before; 0: as long as the
// request has.
func Within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if ends, bounded := ctx.Deadline(); timeout <= 0 || bounded && time.Until(ends) <= timeout { // the request ends before
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}
