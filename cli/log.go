package cli

import (
	"bufio"
	"bytes"
	"io"
	"sync"
	"time"
)

// logWriter gathers lines of the log and writes them together, soon: a line for
// each request is a system call less for it. What is worse than information is
// written at once, with all before it.
type logWriter struct {
	mu    sync.Mutex
	out   *bufio.Writer
	timer *time.Timer // runs while something waits
}

const (
	logBuffer = 64 << 10
	logDelay  = 100 * time.Millisecond
)

func newLogWriter(out io.Writer) *logWriter {
	return &logWriter{out: bufio.NewWriterSize(out, logBuffer)}
}

var information = []byte(`"level":"INFO"`)

// Write implements io.Writer; slog writes one line at a time.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.out.Write(line)
	switch {
	case err != nil:
	case !bytes.Contains(line, information):
		err = w.out.Flush()
	case w.timer == nil:
		w.timer = time.AfterFunc(logDelay, w.flush)
	}
	return n, err
}

// flush writes what waits.
func (w *logWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = nil
	_ = w.out.Flush() // a log that cannot be written has nobody to be told
}
