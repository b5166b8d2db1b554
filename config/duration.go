package config

import (
	"errors"
	"math"
	"regexp"
	"strings"
	"time"
)

// Days and weeks are spans of time here, not dates: 24 hours each, and seven of
// them. Months and years have no one length and are refused.
var (
	durationText = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w))+$`)
	durationPart = regexp.MustCompile(`([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h|d|w)`)
)

// DurationForm says how a duration is written.
const DurationForm = "a time with its unit, such as 500ms, 30s, 5m, 24h, 30d or 2w"

var errDuration = errors.New("must be " + DurationForm + "; months and years have no one length")

// ParseDuration reads a time with its unit, on the command line as in the
// file: as Go writes it, and with d and w.
func ParseDuration(text string) (time.Duration, error) {
	unsigned, negative := strings.CutPrefix(text, "-")
	if !durationText.MatchString(unsigned) {
		return 0, errDuration
	}
	var total time.Duration
	for _, part := range durationPart.FindAllStringSubmatch(unsigned, -1) {
		span, times := part[0], time.Duration(1)
		switch part[2] {
		case "d":
			span, times = part[1]+"h", day/time.Hour
		case "w":
			span, times = part[1]+"h", 7*day/time.Hour
		}
		d, err := time.ParseDuration(span)
		if err != nil || d > math.MaxInt64/times || total > math.MaxInt64-d*times {
			return 0, errors.New("is longer than the 292 years that a duration may have")
		}
		total += d * times
	}
	if negative {
		total = -total
	}
	return total, nil
}
