package datasource

import (
	"sync"

	"usher/datasource/drift"
	"usher/datasource/writing"
	"usher/plan"
)

// remembered is what is known of the tables of accounts, those that have been closed included.
type remembered struct {
	mu sync.Mutex
	of map[plan.Target]*known
}

// known is what was found in an account, and what was judged of its tables for being written.
type known struct {
	found  drift.Findings
	judged writing.Judgements
}

// maxRemembered bounds the accounts remembered. Whoever has more looks again.
const maxRemembered = 10_000

func (r *remembered) account(t plan.Target) *known {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.of[t]
	if k == nil {
		if r.of == nil || len(r.of) >= maxRemembered {
			r.of = make(map[plan.Target]*known)
		}
		k = &known{}
		r.of[t] = k
	}
	return k
}
