package graph

import (
	"usher/fault"
)

// refusedForNow tells that every field that was tried was refused and may be
// answered later. The request as a whole is refused then, so that its status can
// say so: nothing of it was done.
func refusedForNow(answers []rootAnswer) bool {
	for _, a := range answers {
		if a.later {
			continue
		}
		if len(a.told) == 0 || !a.IsNull() {
			return false
		}
		for _, e := range a.told {
			code := e.Extensions["code"]
			if e.Extensions["retryAfter"] == nil || code != string(fault.TooManyRequests) && code != string(fault.Unavailable) {
				return false
			}
		}
	}
	return len(answers) > 0
}
