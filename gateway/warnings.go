package gateway

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"usher/inspect"
)

// lacksWithin is how long sources have to say what accounts may do. It bounds a reload, too, whose answer tells it.
const lacksWithin = 5 * time.Second

// lacks asks what the accounts lack by which rows are written: what the configuration offers and no database does.
func lacks(ctx context.Context, found *inspect.Found) []string {
	ctx, cancel := context.WithTimeout(ctx, lacksWithin)
	defer cancel()
	lines, err := found.Lacking(ctx)
	lacks := lines.Writing
	if err != nil {
		lacks = append(lacks, strings.Split(err.Error(), "\n")...)
	}
	return append(lacks, lines.Some...)
}

// warnings say what of the configuration is not served, or not as it was meant.
func (s *snapshot) warnings() []string {
	return withoutCauses(append(s.found.Unserved(), s.lacks()...))
}

// tellLacks logs what the accounts lack that write, the first of it; what is not served is logged where it is found.
func (s *snapshot) tellLacks(ctx context.Context, log *slog.Logger) {
	const told = 10
	lacks := s.lacks()
	if len(lacks) == 0 || ctx.Err() != nil {
		return
	}
	log.WarnContext(ctx, "accounts lack what they need to write what the configuration offers; `usher check` lists all of it", "lacks", lacks[:min(told, len(lacks))], "more", max(0, len(lacks)-told))
}
