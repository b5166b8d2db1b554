package transport

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"usher/fault"
)

// unreadFor is how long the rest of a body may take that nobody reads. The server reads it before it sends the answer, so that
// the connection can be used again, and what does not come would hold that for good.
const unreadFor = 500 * time.Millisecond

// maxUnused is how much a body may have where a request has no use for one.
const maxUnused = 64 << 10

// Bodies answers whoever sends a part of a body and no more, and ends the connection, however early a handler has refused the
// request. What handlers set as deadlines of reading holds while they read.
func Bodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		b := &body{ReadCloser: r.Body}
		r.Body = b
		connection := http.NewResponseController(w)
		defer func() {
			if !b.ended.Load() {
				_ = connection.SetReadDeadline(time.Now().Add(unreadFor))
			}
		}()
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			if _, err := io.CopyN(io.Discard, b, maxUnused+1); !errors.Is(err, io.EOF) {
				w.Header().Set("Connection", "close")
				answer := []byte(`{"errors":[{"message":"the body of a request by GET is not used, and did not come, or is too large: leave it out","extensions":{"code":"` + string(fault.BadUserInput) + `"}}]}`)
				writeHead(w, plainJSON, http.StatusBadRequest, len(answer))
				_, _ = w.Write(answer) // if the client has left, there is nobody to tell
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// body knows whether all of it was read.
type body struct {
	io.ReadCloser
	ended atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		b.ended.Store(true)
	}
	return n, err
}
