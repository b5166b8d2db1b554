package webhook

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxName bounds what the log repeats of a name that a stranger chose.
const maxName = 200

// refusals writes down the calls that are not signed. Whoever can reach the
// endpoint can make as many as they like, so there is at most one line a
// second; it says how many calls were left out since the one before.
type refusals struct {
	log *slog.Logger
	now func() time.Time

	mu   sync.Mutex
	next time.Time // when there may be a line again
	left int       // calls without a line
}

func (r *refusals) refused(ctx context.Context, name string) {
	r.mu.Lock()
	now := r.now()
	if now.Before(r.next) {
		r.left++
		r.mu.Unlock()
		return
	}
	left := r.left
	r.next, r.left = now.Add(time.Second), 0
	r.mu.Unlock()
	r.log.WarnContext(ctx, "a call about changed data was refused: it is not signed as it must be, or too old",
		"source", printable(name), "left_out", left)
}

// printable is the beginning of a text, without what could mislead whoever
// reads the log.
func printable(text string) string {
	if len(text) > maxName {
		end := maxName
		for end > maxName-utf8.UTFMax && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}
