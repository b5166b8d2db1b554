package transport

import (
	"context"
	"net/http"
)

// Health returns the handler of /health/live and /health/ready. Live says that
// the process answers; ready asks the given function whether it should be sent
// requests. Why it is not ready is for the function to log: these pages need no
// token, so they say nothing else.
func Health(ready func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health/live", func(w http.ResponseWriter, _ *http.Request) {
		writeHealth(w, http.StatusOK, "live")
	})
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, r *http.Request) {
		if ready(r.Context()) != nil {
			writeHealth(w, http.StatusServiceUnavailable, "not ready")
			return
		}
		writeHealth(w, http.StatusOK, "ready")
	})
	return mux
}

func writeHealth(w http.ResponseWriter, status int, word string) {
	body := `{"status":"` + word + `"}`
	writeHead(w, plainJSON, status, len(body))
	_, _ = w.Write([]byte(body))
}
