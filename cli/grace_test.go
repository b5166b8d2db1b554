package cli

import (
	"os"
	"regexp"
	"strconv"
	"strings"
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

// Whoever starts usher waits for longer than usher waits for its control store, and does
// not give up when that takes several starts: each takes the wait and what is between two.
func TestTimeToStart(t *testing.T) {
	t.Parallel()
	unit, err := os.ReadFile("../deploy/systemd/usher.service")
	if err != nil {
		t.Fatal(err)
	}
	says := func(text []byte, form string) time.Duration {
		t.Helper()
		found := regexp.MustCompile(form).FindSubmatch(text)
		if found == nil {
			t.Fatalf("nothing is said of %s", form)
		}
		span, err := time.ParseDuration(strings.TrimSuffix(string(found[1]), "in"))
		if err != nil {
			t.Fatal(err)
		}
		return span
	}
	const looking = 30 * time.Second // into sources, before
	if start := says(unit, `(?m)^TimeoutStartSec=(\S+)$`); start < storeWait+looking {
		t.Errorf("systemd waits for %s", start)
	}
	interval, between := says(unit, `(?m)^StartLimitIntervalSec=(\S+)$`), says(unit, `(?m)^RestartSec=(\S+)$`)
	found := regexp.MustCompile(`(?m)^StartLimitBurst=(\d+)$`).FindSubmatch(unit)
	if found == nil {
		t.Fatal("no StartLimitBurst")
	}
	burst, err := strconv.Atoi(string(found[1]))
	if starts := int(interval/(storeWait+between)) + 1; err != nil || starts >= burst {
		t.Errorf("%d starts within %s, and systemd gives up after %d, %v", starts, interval, burst, err)
	}
	chart, err := os.ReadFile("../deploy/helm/usher/templates/deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	probe := regexp.MustCompile(`startupProbe:\s+httpGet: .*\s+periodSeconds: (\d+)\s+timeoutSeconds: \d+\s+failureThreshold: (\d+)`).FindSubmatch(chart)
	if probe == nil {
		t.Fatal("the chart has no startupProbe")
	}
	period, _ := strconv.Atoi(string(probe[1]))
	failures, _ := strconv.Atoi(string(probe[2]))
	if patient := time.Duration(period*failures) * time.Second; patient < says(chart, `--store-wait, (\w+)`)+looking {
		t.Errorf("the chart waits for %s", patient)
	}
}
