package cli_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"usher/test/program"
)

// Scripts and containers go by the status.
func TestHealth(t *testing.T) {
	t.Parallel()
	ready, reason := http.StatusOK, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/health/live":
			_, _ = w.Write([]byte(`{"status":"live"}`))
		case "/health/ready":
			w.WriteHeader(ready)
			_, _ = w.Write([]byte(`{"status":"` + http.StatusText(ready) + `"` + reason + `}`))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, c := range []struct {
		ready     int
		args      []string
		out, says string
	}{
		{503, []string{"--server", server.URL + "/"}, "", "is not ready (status 503): UNAVAILABLE: the control store does not answer"},
		{200, []string{"--server", server.URL}, `{"status":"OK"}`, ""},
		{503, []string{"--server", server.URL}, "", "is not ready (status 503): its log says why, and its admin_listen"},
		{503, []string{"--server", server.URL + "/", "--live"}, `{"status":"live"}`, ""},
		{200, []string{"--server", server.URL + "/elsewhere"}, "", "is not ready (status 404)"},
		{200, []string{"--server", gone.URL}, "", "usher does not answer at " + gone.URL},
		{200, []string{"--server", "nowhere"}, "", "is no address"},
	} {
		ready, reason = c.ready, ""
		if strings.Contains(c.says, "UNAVAILABLE") { // as the operators' listener answers
			reason = `,"reason":"UNAVAILABLE: the control store does not answer"`
		}
		out, err := program.Command(t, append([]string{"health"}, c.args...)...)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if strings.TrimSpace(out) != c.out || !strings.Contains(said, c.says) || (said == "") != (c.says == "") {
			t.Errorf("%v: %s, %v; want %s, %s", c.args, out, err, c.out, c.says)
		}
	}
}
