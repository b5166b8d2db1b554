package value_test

import (
	"testing"

	"usher/value"
)

// A type with less room than its scalar keeps what it has room for, and refuses all else.
func TestKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		native, text string
		scalar       value.Scalar
		kept         bool
	}{
		{"", "10:00:00.123456", value.Time, true},
		{"time without time zone", "10:00:00.123456", value.Time, true},
		{"time(0) without time zone", "10:00:00", value.Time, true},
		{"time(0) without time zone", "10:00:00.1", value.Time, false},
		{"timestamp(3) with time zone[]", "2026-01-02T03:04:05.120000Z", value.Timestamp, true},
		{"timestamp(3) with time zone[]", "2026-01-02T03:04:05.1234Z", value.Timestamp, false},
		{"TIMESTAMP_S", "2026-01-02T03:04:05.5", value.LocalTimestamp, false},
		{"TIMESTAMP_MS[2]", "2026-01-02T03:04:05.125", value.LocalTimestamp, true},
		{"TIMESTAMP_MS[2]", "2026-01-02T03:04:05.1255", value.LocalTimestamp, false},
		{"TIMESTAMP_NS", "2026-01-02T03:04:05.123456", value.LocalTimestamp, true},
		{"INTERVAL", "P1Y2M3DT4H5M6.123456S", value.Interval, true},
		{"interval", "P1Y2M3DT4H5M6.123456S", value.Interval, true},
		{"interval(0)", "P1DT6S", value.Interval, true},
		{"interval(0)[]", "P1DT-6.5S", value.Interval, false},
		{"interval year", "P12M", value.Interval, true},
		{"interval year", "P13M", value.Interval, false},
		{"interval year to month", "P13M", value.Interval, true},
		{"interval month", "P13M1D", value.Interval, false},
		{"interval day", "P13M1D", value.Interval, true},
		{"interval day", "PT24H", value.Interval, false},
		{"interval day to hour[]", "P1DT5H", value.Interval, true},
		{"interval hour", "PT1M", value.Interval, false},
		{"interval hour to minute", "PT1M", value.Interval, true},
		{"interval minute", "PT1S", value.Interval, false},
		{"interval day to second(3)", "PT0.125S", value.Interval, true},
		{"interval day to second(3)", "PT0.1255S", value.Interval, false},
		{"interval second(1)", "PT0.25S", value.Interval, false},
	} {
		v, err := value.Parse(value.Of(c.scalar), c.text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (value.Kept{Native: c.native}).Keeps(v); (err == nil) != c.kept {
			t.Errorf("%s as %s: %v", c.text, c.native, err)
		}
	}
}
