package logsink

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
)

var asJSON = JSON(slog.LevelInfo)

// output keeps what was written. While it is full it takes only so many bytes,
// as a disk does.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	full  bool
	left  int
	calls int
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls++
	if !o.full {
		return o.text.Write(p)
	}
	n, _ := o.text.Write(p[:min(o.left, len(p))])
	o.left -= n
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (o *output) fill(left int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.full, o.left = left >= 0, left
}

func (o *output) lines() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(strings.Lines(o.text.String()))
}

var lost = regexp.MustCompile(`"level":"WARN","msg":"lines of the log were lost: it could not be written in time","lines":(\d+)}`)

// count is how many lines were lost, as it is told.
func count(t *testing.T, s *Sink) float64 {
	t.Helper()
	r := prometheus.NewRegistry()
	if err := r.Register(s); err != nil {
		t.Fatal(err)
	}
	families, err := r.Gather()
	if err != nil || len(families) != 1 {
		t.Fatal(families, err)
	}
	return families[0].GetMetric()[0].GetCounter().GetValue()
}

// account counts the lines that were written, and those that were said to be lost.
func account(t *testing.T, lines []string) (written, missed int) {
	t.Helper()
	for _, line := range lines {
		if !strings.HasPrefix(line, "{") || !strings.HasSuffix(line, "}\n") {
			t.Errorf("a torn line: %.100q", line)
		}
		if m := lost.FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[1])
			missed += n
		} else {
			written++
		}
	}
	return written, missed
}

func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out output
		s := New(&out, asJSON)
		log := s.Logger()
		check := func(want int, when string) {
			t.Helper()
			synctest.Wait()
			if n := len(out.lines()); n != want {
				t.Errorf("%d lines of %d %s", n, want, when)
			}
		}
		log.Info("one")
		log.Info("two")
		check(0, "one by one")
		<-time.After(2 * delay)
		check(2, "after the delay")
		log.Info("three")
		log.Error("four")
		check(4, "with an error among them")
		for range 1000 {
			log.Info("many", "text", strings.Repeat("x", 100))
		}
		synctest.Wait()
		if n := len(out.lines()); n < 500 {
			t.Errorf("%d lines are written, and more than a gust waits", n)
		}
		log.Info("the last")
		s.Close()
		check(1005, "at the end")
		if n := count(t, s); n != 0 {
			t.Errorf("%v are lost", n)
		}
	})
}

// A disk that fills and is freed costs the lines in between, and says so.
func TestOutputFailsAndWorksAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out output
		s := New(&out, asJSON)
		log := s.Logger()
		log.Info("before", "text", strings.Repeat("x", 100))
		<-time.After(2 * delay)
		out.fill(70) // the next line is cut off
		const many = 20_000
		for range many {
			log.Info("meanwhile", "text", strings.Repeat("x", 100))
			synctest.Wait()
		}
		<-time.After(time.Minute)
		synctest.Wait()
		if out.calls > 100 {
			t.Errorf("%d attempts", out.calls)
		}
		out.fill(-1)
		<-time.After(2 * pause)
		log.Info("after")
		<-time.After(2 * delay)
		lines := out.lines()
		written, missed := account(t, lines)
		if written+missed != many+2 || missed == 0 || float64(missed) != count(t, s) {
			t.Errorf("%d are written, %d are said to be lost, %v were", written, missed, count(t, s))
		}
		if !strings.Contains(lines[len(lines)-1], "after") {
			t.Errorf("the last is %q", lines[len(lines)-1])
		}
		s.Close()
	})
}

// What is worse than information finds room where information does not.
func TestWorseLinesAreLostLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out output
		out.fill(0)
		s := New(&out, asJSON)
		log := s.Logger()
		log.Error("first") // stands before the writer from now on
		synctest.Wait()
		text := strings.Repeat("x", 1000)
		for range 2000 {
			log.Info(text)
		}
		informed := count(t, s)
		for range 200 {
			log.Warn(text)
		}
		if n := count(t, s); informed == 0 || n != informed {
			t.Errorf("%v of information are lost, then %v", informed, n-informed)
		}
		for range 2000 {
			log.Error(text)
		}
		if n := count(t, s); n == informed {
			t.Error("there is room without end")
		}
		out.fill(-1)
		s.Close()
		if all := strings.Join(out.lines(), ""); strings.Count(all, "WARN") != 201 {
			t.Errorf("%d of 200 warnings, and of one that lines were lost", strings.Count(all, "WARN"))
		}
	})
}

// Nobody waits for a pipe that nobody reads, not even the end.
func TestPipeNobodyReads(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := New(w, asJSON)
	log := s.Logger()
	const many = 20_000
	text := strings.Repeat("x", 200)
	var slowest time.Duration
	for range many {
		began := time.Now()
		log.Info(text)
		slowest = max(slowest, time.Since(began))
	}
	if slowest > 5*time.Second {
		t.Errorf("a line took %s", slowest)
	}
	if count(t, s) == 0 {
		t.Fatal("all of it found room")
	}
	began := time.Now()
	s.Close()
	if took := time.Since(began); took > 10*atTheEnd {
		t.Errorf("the end takes %s", took)
	}
	// Whoever reads after all finds whole lines, and how many are missing. That is
	// said once or, if the writer had to wait for its first turn, twice.
	read := make(chan []string)
	go func() {
		var lines []string
		for in := bufio.NewReader(r); ; {
			line, err := in.ReadString('\n')
			if err != nil {
				read <- lines
				return
			}
			lines = append(lines, line)
		}
	}()
	<-s.closed
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	written, missed := account(t, <-read)
	if written+missed != many || float64(missed) != count(t, s) {
		t.Errorf("%d are written and %d are said to be lost, of %d", written, missed, many)
	}
	_ = r.Close()
}

// A pipe whose reader is gone, and a device without room: logging goes on.
func TestOutputsThatTakeNothing(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, broken, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, out := range []*os.File{full, broken} {
		s := New(out, asJSON)
		log := s.Logger()
		for n := range 20_000 {
			log.Error(fmt.Sprintf("%0200d", n))
		}
		if count(t, s) == 0 {
			t.Errorf("%s takes it", out.Name())
		}
		s.Close()
		if err := out.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestMinor(t *testing.T) {
	t.Parallel()
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		for _, format := range []func(io.Writer) slog.Handler{JSON(slog.LevelDebug), Text(slog.LevelDebug)} {
			for _, text := range []string{"", `"level":"INFO"`, "level=INFO", `"level":"ERROR"`} {
				var line bytes.Buffer
				slog.New(format(&line)).Log(t.Context(), level, text)
				if got := minor(line.Bytes()); got != (level <= slog.LevelInfo) {
					t.Errorf("%s: %v", line.Bytes(), got)
				}
			}
		}
	}
}

// valuer makes a text when it is logged.
type valuer string

func (v valuer) LogValue() slog.Value { return slog.StringValue(string(v)) }

// A line is one line, and a short one, whatever others have put into it.
func TestLinesAreBounded(t *testing.T) {
	t.Parallel()
	long, wide := strings.Repeat("x", 1<<20), strings.Repeat("é", 1<<10)
	for _, format := range []func(io.Writer) slog.Handler{JSON(slog.LevelInfo), Text(slog.LevelInfo)} {
		for _, value := range []any{
			long, errors.New(long), fmt.Errorf("asked: %w", errors.New(long)), []string{long, long}, map[string]string{long: long}, struct{ S string }{long}, []byte(long),
		} {
			var line bytes.Buffer
			slog.New(format(&line)).Error(long, "value", value, "stack", long)
			if n := line.Len(); n > 2*maxText+maxStack+300 || n < maxStack || bytes.Count(line.Bytes(), []byte("bytes more)")) != 3 {
				t.Errorf("%T: %d bytes", value, n)
			}
		}
		var line bytes.Buffer
		slog.New(format(&line)).Info("one\n{\"level\":\"ERROR\"}\r\n\x1b[2J", "tenant", "a\nb\x00", "error", errors.New("c\nd"), "name", "\xff", "wide", "x"+wide)
		if bytes.Count(line.Bytes(), []byte("\n")) != 1 || bytes.ContainsAny(line.Bytes(), "\r\x1b\x00\xff") || !utf8.Valid(line.Bytes()) {
			t.Errorf("%q", line.Bytes())
		}
		if !bytes.Contains(line.Bytes(), []byte("é… (")) || bytes.Contains(line.Bytes(), []byte("\ufffd… (")) {
			t.Errorf("cut amid a character: %q", line.Bytes())
		}
		line.Reset()
		slog.New(format(&line)).With("with", long).WithGroup("of").With("in", long).Info("x", slog.Group("group", "a", long, "b", errors.New(long)), "z", valuer(long))
		if n := line.Len(); n > 6*maxText || bytes.Count(line.Bytes(), []byte("bytes more)")) != 5 {
			t.Errorf("groups take %d bytes", n)
		}
		line.Reset()
		slog.New(format(&line)).Info("as it was", "text", long[:maxText], "n", 7, "for", time.Second, "yes", true)
		if !bytes.Contains(line.Bytes(), []byte(long[:maxText])) || bytes.Contains(line.Bytes(), []byte("more)")) {
			t.Errorf("%q", line.Bytes())
		}
	}
}

func BenchmarkSink(b *testing.B) {
	for name, open := range map[string]func() (io.WriteCloser, error){
		"a file":     func() (io.WriteCloser, error) { return os.Create(b.TempDir() + "/log") },
		"no output":  func() (io.WriteCloser, error) { return os.OpenFile("/dev/null", os.O_WRONLY, 0) },
		"a full one": func() (io.WriteCloser, error) { return os.OpenFile("/dev/full", os.O_WRONLY, 0) },
	} {
		b.Run(name, func(b *testing.B) {
			out, err := open()
			if err != nil {
				b.Fatal(err)
			}
			s := New(out, asJSON)
			log := s.Logger()
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					log.LogAttrs(b.Context(), slog.LevelInfo, "request",
						slog.String("request_id", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), slog.String("tenant", "acme"), slog.String("subject", "ann"),
						slog.String("operation", "Orders"), slog.Int("status", 200), slog.Duration("duration", time.Millisecond))
				}
			})
			s.Close()
			if err := out.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// requestLine is a record as it is written for every request.
func requestLine(operation string) slog.Record {
	r := slog.NewRecord(time.Now(), slog.LevelInfo, "request", 0)
	r.AddAttrs(slog.String("request_id", "4WCQ7HBLSIAJN5LPVH2KTR6E2C"), slog.String("tenant", "acme"), slog.String("subject", "user-17"),
		slog.String("operation", operation), slog.Int("status", 200), slog.Duration("duration", 1534*time.Microsecond))
	return r
}

// Lines that are appended are those that slog would write, and the others are
// slog's.
func TestPlainLinesAreSlogs(t *testing.T) {
	t.Parallel()
	var ours, theirs bytes.Buffer
	fast := JSON(slog.LevelDebug)(&ours)
	slow := bounded{slog.NewJSONHandler(&theirs, &slog.HandlerOptions{Level: slog.LevelDebug})}
	at := time.Date(2026, 2, 3, 4, 5, 6, 700, time.UTC)
	var records []slog.Record
	add := func(r slog.Record, attrs ...slog.Attr) {
		r.AddAttrs(attrs...)
		records = append(records, r)
	}
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError, slog.LevelInfo + 1} {
		add(slog.NewRecord(at, level, "hello", 0))
	}
	for _, text := range []string{
		"", "plain", `quo"ted`, `back\slash`, "new\nline", "del\x7f", "nul\x00", "é", "\u2028", "\xff", "<&>", "~ ",
		strings.Repeat("x", maxText), strings.Repeat("x", maxText+1),
	} {
		add(slog.NewRecord(at, slog.LevelInfo, text, 0))
		add(slog.NewRecord(at, slog.LevelInfo, "m", 0), slog.String("a", text), slog.Int("n", 1))
		add(slog.NewRecord(at, slog.LevelInfo, "m", 0), slog.Int("n", 1), slog.Int(text, 2))
	}
	for _, value := range []any{nil, 1.5, uint64(7), -3, true, time.Second, at, errors.New("broken"), []int{1}, slog.GroupValue(slog.Int("in", 1)), slog.GroupValue()} {
		add(slog.NewRecord(at, slog.LevelInfo, "m", 0), slog.String("a", "b"), slog.Any("v", value))
	}
	add(slog.NewRecord(time.Time{}, slog.LevelInfo, "no time", 0))
	add(slog.NewRecord(at.In(time.FixedZone("somewhere", 5400)), slog.LevelInfo, "zone", 0))
	add(slog.NewRecord(at, slog.LevelInfo, "m", 0), slog.Attr{})
	add(requestLine("Orders"))
	compare := func(fast, slow slog.Handler) {
		for _, r := range records {
			ours.Reset()
			theirs.Reset()
			if err := errors.Join(fast.Handle(t.Context(), r), slow.Handle(t.Context(), r)); err != nil {
				t.Fatal(err)
			}
			if ours.String() != theirs.String() {
				t.Errorf("%q\nslog writes\n%q", ours.String(), theirs.String())
			}
		}
	}
	compare(fast, slow)
	compare(fast.WithGroup("g").WithAttrs([]slog.Attr{slog.Int("also", 1)}), slow.WithGroup("g").WithAttrs([]slog.Attr{slog.Int("also", 1)}))
}

// BenchmarkRequestLine is the line of a request: appended, or written by slog
// because of a character that has to be escaped.
func BenchmarkRequestLine(b *testing.B) {
	h := JSON(slog.LevelInfo)(io.Discard)
	for name, operation := range map[string]string{"appended": "Orders", "slog": `Ord"ers`} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := h.Handle(b.Context(), requestLine(operation)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
