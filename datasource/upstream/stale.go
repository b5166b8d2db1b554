package upstream

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"usher/fault"
)

// maxKept bounds the bytes of a source's replies that are kept for bad times.
const maxKept = 16 << 20

// kept holds an API's last replies, to stand in for those that fail
// (stale-if-error). A reply
// answers the very call it was sent for, credentials included.
type kept struct {
	age     time.Duration // 0: nothing is kept
	replies recent[string, reply]

	mu      sync.Mutex // between forgetting and replies that were on their way
	changes int        // how often everything was forgotten
}

func newKept(age time.Duration) *kept {
	k := &kept{age: age}
	k.replies.limit = maxKept
	return k
}

// seen is what keep is told of a call that begins.
func (k *kept) seen() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.changes
}

// keep keeps the reply of a call that began when so many changes were seen.
func (k *kept) keep(key string, r reply, seen int) {
	if k.age == 0 || r.rest != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.changes != seen {
		return
	}
	r.asOf = time.Now()
	k.replies.put(key, r, int64(cap(r.head))+1024)
}

// forget forgets all replies, those on their way too.
func (k *kept) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changes++
	k.replies.clear()
}

func (k *kept) find(key string) (reply, bool) {
	r, ok := k.replies.get(key)
	if ok && time.Since(r.asOf) > k.age {
		k.replies.remove(key)
		return reply{}, false
	}
	return r, ok
}

// excuses tells the failures that an older reply may stand in for: those of
// the API, while somebody still waits. A refusal is an answer.
func excuses(ctx context.Context, err error) bool {
	var status *statusError
	var content contentError
	var refused *fault.Error
	switch {
	case errors.As(err, &refused):
		return refused.Code != fault.TooManyRequests // the caller's flood; having too much to do is the API's failure
	case errors.Is(ctx.Err(), context.Canceled) || errors.As(err, &content):
		return false
	case errors.As(err, &status):
		return status.code >= http.StatusInternalServerError || status.code == http.StatusTooManyRequests
	}
	return true
}
