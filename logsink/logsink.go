// Package logsink owns the way of the log's lines to where they are written.
// Whoever logs never waits for it: lines are gathered in memory, and one
// goroutine writes them. An output that is slow, full or gone costs lines, and
// nothing else; how many were lost is counted, and said in the log as soon as it
// can be written again. It refuses to grow: what does not fit is lost, and what is
// worth no more than information is lost first, and no text of a line is long.
//
// zap's and lumberjack's writers hold a lock while they write, and bufio's is
// silent for ever after its first error.
package logsink

import (
	"bytes"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	room     = 1 << 20                // bytes that may wait
	kept     = room - 256<<10         // of them, what is no more than information may take
	gust     = 64 << 10               // so many are written at once
	delay    = 100 * time.Millisecond // so long a few wait for more
	pause    = time.Second            // between attempts to write what could not be written
	atTheEnd = time.Second            // how long Close waits
)

// Sink is the log's output. It is safe for concurrent use.
type Sink struct {
	out    io.Writer
	format func(io.Writer) slog.Handler
	lost   prometheus.Counter

	mu      sync.Mutex // never held while something is written
	waiting []byte     // whole lines
	missed  int        // lines that were lost behind those
	spare   []byte     // the other buffer; the writer's alone

	soon, now chan struct{} // wake the writer
	closing   chan struct{}
	close     sync.Once
	closed    chan struct{}
}

// New makes a Sink that writes to out what handlers of a format write.
func New(out io.Writer, format func(io.Writer) slog.Handler) *Sink {
	s := &Sink{
		out: out, format: format,
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "usher", Name: "log_lines_lost_total", Help: "Lines of the log that were lost because it could not be written in time.",
		}),
		soon: make(chan struct{}, 1), now: make(chan struct{}, 1),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
	go s.run()
	return s
}

// Logger returns a logger whose lines the Sink writes.
func (s *Sink) Logger() *slog.Logger { return slog.New(s.format(s)) }

// Write takes a line, or loses it. Each call is one line.
func (s *Sink) Write(line []byte) (int, error) {
	most, wake := room, s.now
	if minor(line) {
		most, wake = kept, nil
	}
	s.mu.Lock()
	before := len(s.waiting)
	fits := before+len(line) <= most
	if fits {
		s.waiting = append(s.waiting, line...)
	} else {
		s.missed++
	}
	s.mu.Unlock()
	switch {
	case !fits:
		s.lost.Inc()
	case wake != nil || before < gust && before+len(line) >= gust:
		signal(s.now)
	case before == 0:
		signal(s.soon)
	}
	return len(line), nil
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// minor tells whether a line is worth no more than information. Its level stands
// behind the time, before anything that somebody else may have written.
func minor(line []byte) bool {
	_, level, _ := bytes.Cut(line, []byte("level"))
	level = bytes.TrimLeft(level[:min(len(level), len(`":"DEBUG`))], `":=`)
	return bytes.HasPrefix(level, []byte("INFO")) || bytes.HasPrefix(level, []byte("DEBUG"))
}

// run writes what waits, until the Sink is closed.
func (s *Sink) run() {
	defer close(s.closed)
	for {
		select {
		case <-s.soon:
			select {
			case <-time.After(delay):
			case <-s.now:
			case <-s.closing:
			}
		case <-s.now:
		case <-s.closing:
			s.writeAll()
			return
		}
		s.writeAll()
	}
}

// writeAll writes until nothing waits. What cannot be written is tried again,
// from where it was cut off, until the Sink is closed.
func (s *Sink) writeAll() {
	for {
		batch := s.take()
		if len(batch) == 0 {
			s.spare = batch
			return
		}
		for rest := batch; len(rest) > 0; {
			n, err := s.out.Write(rest)
			rest = rest[min(max(n, 0), len(rest)):]
			if err == nil && n > 0 {
				continue
			}
			select {
			case <-time.After(pause):
			case <-s.closing:
				return
			}
		}
		if cap(batch) <= 4*gust {
			s.spare = batch[:0]
		}
	}
}

// take returns what waits, followed by how much was lost behind it.
func (s *Sink) take() []byte {
	s.mu.Lock()
	batch, missed := s.waiting, s.missed
	s.waiting, s.missed = s.spare, 0
	s.mu.Unlock()
	s.spare = nil
	if missed > 0 {
		var line bytes.Buffer
		slog.New(s.format(&line)).Warn("lines of the log were lost: it could not be written in time", "lines", missed)
		batch = append(batch, line.Bytes()...)
	}
	return batch
}

// Close writes what waits, if that takes no longer than a moment: an output that
// takes nothing does not keep the process.
func (s *Sink) Close() {
	s.close.Do(func() { close(s.closing) })
	select {
	case <-s.closed:
	case <-time.After(atTheEnd):
	}
}

// Describe implements prometheus.Collector.
func (s *Sink) Describe(out chan<- *prometheus.Desc) { s.lost.Describe(out) }

// Collect implements prometheus.Collector.
func (s *Sink) Collect(out chan<- prometheus.Metric) { s.lost.Collect(out) }
