package upstream

import (
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"usher/catalog"
	"usher/fault"
)

// TestDialing: no spelling of a host leads to a server on loopback.
func TestDialing(t *testing.T) {
	t.Parallel()
	var hits atomic.Int64
	url := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{
		"127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0", "0.0.0.0",
		"localhost", "LOCALHOST", "localhost.", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[64:ff9b::7f00:1]", "[fe80::1%25lo]",
		"127.0.0.1.", "127.0.1.1", "127.255.255.254", "127.000.000.001", "0x7F000001", "0x7f.0x0.0x0.0x1", "0177.1", "①②⑦.⓪.⓪.①", "127。0。0。1",
		"[::127.0.0.1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::ffff:0:7f00:1]", "[2002:7f00:1::]", "[64:ff9b:1::7f00:1]", "[fd00:ec2::254]", "[::ffff:a9fe:a9fe]",
		"169.254.169.254", "100.100.100.200", "10.0.0.1", "172.16.0.1", "192.168.0.1",
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			a := open(t, "http://"+host+":"+port, catalog.BindingSpec{}, func(s *catalog.SourceSpec) { s.AllowPrivate, s.Timeout = false, new(2*time.Second) })
			_, err := a.fetch(t.Context(), a.things(t, acme, nil, "id"))
			if err == nil {
				t.Fatal("it was dialed")
			}
			if f := fault.From(err); f.Code != fault.Unavailable && f.Code != fault.Timeout || strings.Contains(f.Message, host) {
				t.Errorf("%s: %s", f.Code, f.Message)
			}
		})
	}
	t.Cleanup(func() {
		if hits.Load() != 0 {
			t.Errorf("%d calls arrived", hits.Load())
		}
	})
}
