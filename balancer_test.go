package main

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"usher/test/program"
)

// balancerConfig asks for readiness often, and makes up for nothing: a request
// that a gateway loses is lost.
const balancerConfig = `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout check 30s
  retries 0
  default-server inter 100ms fastinter 50ms fall 1 rise 1 check
frontend public
  bind %s
  default_backend gateways
backend gateways
  %s
  option httpchk GET /health/ready
  server one %s
  server two %s
frontend operators
  bind %s
  stats enable
  stats uri /stats
`

// balance starts HAProxy before two gateways, among which it chooses as it is told. It returns where the public and
// where its operators reach it.
func balance(t *testing.T, how, one, two string) (public, operators string) {
	t.Helper()
	haproxy, err := exec.LookPath("haproxy")
	if err != nil {
		haproxy = "/usr/sbin/haproxy" // where Debian puts it, and where not everybody looks
	}
	public, operators = freePort(t), freePort(t)
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	program.WriteFile(t, file, fmt.Sprintf(balancerConfig, public, how, one, two, operators))
	said := program.NewOutput()
	command := exec.CommandContext(context.WithoutCancel(t.Context()), haproxy, "-db", "-f", file) //nolint:gosec // its name is fixed
	command.Stdout, command.Stderr = said, said
	if err := command.Start(); err != nil {
		t.Fatalf("%v; scripts/prerequisites.sh test installs what the tests need", err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Log(said)
		}
	})
	return "http://" + public, "http://" + operators
}

// up tells how many gateways the balancer sends requests to.
func up(t *testing.T, operators string) int {
	t.Helper()
	response, err := http.Get(operators + "/stats;csv")
	if err != nil {
		return 0 // it has not started yet
	}
	defer func() { _ = response.Body.Close() }()
	rows, err := csv.NewReader(response.Body).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, row := range rows {
		if row[0] == "gateways" && (row[1] == "one" || row[1] == "two") && strings.HasPrefix(row[17], "UP") {
			n++
		}
	}
	return n
}

// TestPersistedQueriesBehindABalancer: a client on its own sends a hash, and the text where that is asked for. It is
// asked once where its requests go to one gateway, as the handbook has it.
func TestPersistedQueriesBehindABalancer(t *testing.T) {
	t.Parallel()
	ports := []string{freePort(t), freePort(t)}
	gateways := make([]*process, 2)
	for i := range gateways {
		gateways[i] = launch(t, prepare(t, "0s"), ports[i], program.NewOutput())
	}
	const text = "{ notes { id } }"
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	for how, most := range map[string]int{"balance roundrobin": 10, "balance hdr(Authorization)\n  hash-type consistent": 1} {
		public, operators := balance(t, how, ports[0], ports[1])
		program.Soon(t, program.Patience, "the balancer has both gateways", func() bool { return up(t, operators) == 2 })
		asked, q := 0, gateways[0].question(t)
		send := func(query string) string {
			r := q.Clone(t.Context())
			r.URL.Host = strings.TrimPrefix(public, "http://")
			r.Host = r.URL.Host
			body := fmt.Sprintf(`{%s"extensions":{"persistedQuery":{"version":1,"sha256Hash":%q}}}`, query, hash)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			_, answer := program.Fetch(t, r)
			return string(answer)
		}
		for range 10 {
			answer := send("")
			if strings.Contains(answer, "PERSISTED_QUERY_NOT_FOUND") {
				asked++
				answer = send(fmt.Sprintf(`"query":%q,`, text))
			}
			if !strings.Contains(answer, `"notes":[`) {
				t.Fatal(answer)
			}
		}
		if asked > most {
			t.Errorf("%s: the text was asked for %d times", how, asked)
		}
	}
}

// TestRollingRestarts: gateways behind a balancer are restarted one after the
// other under load, and no request is lost. USHER_TEST_RESTARTS says how often;
// five times are enough to notice a gap.
func TestRollingRestarts(t *testing.T) {
	t.Parallel()
	restarts := 5
	if text := os.Getenv("USHER_TEST_RESTARTS"); text != "" {
		var err error
		if restarts, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	configs, ports := []string{prepare(t, "3s"), prepare(t, "3s")}, []string{freePort(t), freePort(t)}
	gateways := make([]*process, 2)
	for i := range gateways {
		gateways[i] = launch(t, configs[i], ports[i], program.NewOutput())
	}
	public, operators := balance(t, "balance roundrobin", ports[0], ports[1])
	both := func() bool { return up(t, operators) == 2 }
	program.Soon(t, program.Patience, "the balancer has both gateways", both)

	stop := make(chan struct{})
	var answered, lost atomic.Int64
	var asking sync.WaitGroup
	for range 6 {
		q := gateways[0].question(t)
		q.URL.Host = strings.TrimPrefix(public, "http://")
		q.Host = q.URL.Host
		asking.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: program.Patience} // a connection of its own, kept
			defer client.CloseIdleConnections()
			for {
				select {
				case <-stop:
					return
				default:
				}
				q.Body, _ = q.GetBody()
				if why := got(client, q); why != "" {
					lost.Add(1)
					t.Error(why)
				} else {
					answered.Add(1)
				}
			}
		})
	}
	for n := range restarts {
		i := n % 2
		gateways[i].tell(t, syscall.SIGTERM)
		gateways[i].wait(t)
		before := answered.Load()
		gateways[i] = launch(t, configs[i], ports[i], program.NewOutput())
		program.Soon(t, program.Patience, "the balancer has both gateways again", both)
		program.Soon(t, program.Patience, "the load goes on", func() bool { return answered.Load() > before })
	}
	close(stop)
	asking.Wait()
	t.Logf("%d restarts, %d answers, %d lost", restarts, answered.Load(), lost.Load())
}

// got tells why a request has no answer; empty if it has.
func got(client *http.Client, q *http.Request) string {
	response, err := client.Do(q)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), `"data"`) {
		return fmt.Sprintf("%s %s %v", response.Status, body, err)
	}
	return ""
}
