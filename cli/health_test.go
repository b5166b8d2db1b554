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

// A rollout is judged by the sources of those that are asked; one that is about to end, or is not there, decides nothing.
func TestHealthOfSources(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status          int
		body, out, says string
	}{
		{200, `{"status":"reached"}`, "ok: 1 gateway, with all sources reached", ""},
		{503, `{"status":"unreached","unreached":["atlas","shop"]}`, "", "usher at 127.0.0.1 has not reached atlas, shop"},
		{503, `{"status":"not ready","reason":"usher is shutting down"}`, "", "usher at 127.0.0.1 is not ready (status 503): usher is shutting down"},
		{404, "404 page not found", "", "--server has to be server.admin_listen"},
		{200, `{"status":"ready"}`, "", "is not ready (status 200)"},
		{200, "", "", "is not ready (status 200)"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/health/sources" {
				t.Errorf("%s was asked for", r.URL.Path)
			}
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
		}))
		// localhost may be [::1] as well, where nobody answers.
		for _, host := range []string{"127.0.0.1", "localhost"} {
			out, err := program.Command(t, "health", "--sources", "--server", strings.Replace(server.URL, "127.0.0.1", host, 1))
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) || !strings.Contains(out, c.out) {
				t.Errorf("%d %s of %s: %s, %v; want %s, %s", c.status, c.body, host, out, err, c.out, c.says)
			}
		}
		server.Close()
	}
}
