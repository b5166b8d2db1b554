package upstream

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// maxKept bounds the bytes of a source's replies that are kept for bad times.
const maxKept = 16 << 20

// kept holds an API's last replies, to stand in for those that fail. A reply
// answers the very call it was sent for, credentials included.
type kept struct {
	age     time.Duration // 0: nothing is kept
	replies recent[string, reply]
}

func newKept(age time.Duration) *kept {
	k := &kept{age: age}
	k.replies.limit = maxKept
	return k
}

func (k *kept) keep(key string, r reply) {
	if k.age == 0 || r.rest != nil {
		return
	}
	r.asOf = time.Now()
	k.replies.put(key, r, int64(cap(r.head))+1024)
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
	switch {
	case errors.Is(ctx.Err(), context.Canceled) || errors.As(err, &content):
		return false
	case errors.As(err, &status):
		return status.code >= http.StatusInternalServerError || status.code == http.StatusTooManyRequests
	}
	return true
}
