package config

import (
	"strings"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"30d": 720 * time.Hour, "2w": 336 * time.Hour, "1.5d": 36 * time.Hour, "1w2d3h4m5s": 219*time.Hour + 4*time.Minute + 5*time.Second,
		"500ms": 500 * time.Millisecond, "0s": 0, "-1h": -time.Hour, "1h30m": 90 * time.Minute, "7µs": 7 * time.Microsecond, "106751d": 106751 * day,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q is %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "30", "d", "30 d", "1mo", "1y", "1M", "1D", "soon", "+1h", "1h-", "--1h", ".5h", "1.d", "1e3s", "106752d", "99999999999w", "15250w7d"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}

// What the file takes, the schema for editors takes, and the other way round.
func TestDurationsOfTheFile(t *testing.T) {
	t.Parallel()
	root := readSchema(t)
	for text, want := range map[string]string{"2w": "", "30d": "", "90m": "", "1mo": "months", "30": "months", "''": "months", "1y": "months"} {
		file := "server: {timeout: " + text + "}\n"
		_, err := Parse("usher.yml", []byte(file), nil)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
		tree, _ := parseTree([]byte(file))
		if bad := check(t, root, root, tree, ""); (len(bad) == 0) != (want == "") {
			t.Errorf("%s: the schema says %v", text, bad)
		}
	}
}
