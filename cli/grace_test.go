package cli

import (
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// What operators get leaves usher the time that it takes to end: a drain, the
// grace of requests under way, and ten seconds to close what it opened.
func TestTimeToEnd(t *testing.T) {
	t.Parallel()
	const drain, closing = 5 * time.Second, 10 * time.Second // the drain is the default's, and that of compose.yml
	for _, c := range []struct {
		file, form string
		least      time.Duration
	}{
		{"systemd/usher.service", `(?m)^TimeoutStopSec=(\d+)s$`, drain + grace + closing},
		{"compose/compose.yml", `(?m)^  stop_grace_period: (\d+)s$`, drain + grace + closing},
		{"docker/Dockerfile", `--stop-timeout (\d+)`, drain + grace + closing},
		// The chart adds drainSeconds itself.
		{"helm/usher/templates/deployment.yaml", `terminationGracePeriodSeconds: \{\{ add .Values.drainSeconds (\d+) 10 \}\}`, grace},
	} {
		text, err := os.ReadFile("../deploy/" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(c.form).FindSubmatch(text)
		if found == nil {
			t.Errorf("%s does not say how long usher may take to end", c.file)
			continue
		}
		if seconds, err := strconv.Atoi(string(found[1])); err != nil || time.Duration(seconds)*time.Second < c.least {
			t.Errorf("%s: %s s, %v; want %s", c.file, found[1], err, c.least)
		}
	}
}
