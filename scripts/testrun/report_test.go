package main

import (
	"strings"
	"testing"
)

// report of events, one a line; the last line is the count.
func reportOf(events string) string {
	var out strings.Builder
	r := newReport(&out)
	r.read(strings.NewReader(events), nil)
	r.summary()
	return out.String()
}

func TestReport(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		events string
		last   string
		has    []string
		lacks  []string
	}{
		{
			name: "output of failed tests only",
			events: `{"Action":"start","Package":"p"}
				{"Action":"output","Package":"p","Test":"TestGood","Output":"quiet\n"}
				{"Action":"pass","Package":"p","Test":"TestGood"}
				{"Action":"output","Package":"p","Test":"TestBad","Output":"wrong answer\n"}
				{"Action":"fail","Package":"p","Test":"TestBad"}
				{"Action":"fail","Package":"p"}`,
			last:  "1 passed, 1 failed",
			has:   []string{"FAIL  p TestBad", "wrong answer"},
			lacks: []string{"quiet"},
		},
		{
			name: "a package that does not build is one failure",
			events: `{"Action":"build-output","ImportPath":"q","Output":"syntax error\n"}
				{"Action":"build-fail","ImportPath":"q"}
				{"Action":"fail","Package":"p","FailedBuild":"q"}`,
			last: "0 passed, 1 failed",
			has:  []string{"q does not build", "syntax error"},
		},
		{
			name: "a crash is one failure and shows what the test had written",
			events: `{"Action":"pass","Package":"p","Test":"TestGood"}
				{"Action":"output","Package":"p","Test":"TestCrash","Output":"panic: boom\n"}
				{"Action":"fail","Package":"p"}`,
			last: "1 passed, 1 failed",
			has:  []string{"unfinished: p TestCrash", "panic: boom"},
		},
		{
			name: "tests that take long are named, the longest first",
			events: `{"Action":"pass","Package":"p","Test":"TestShort","Elapsed":0.5}
				{"Action":"pass","Package":"p","Test":"TestLong","Elapsed":61.2}
				{"Action":"pass","Package":"p","Test":"TestLonger/part","Elapsed":80}
				{"Action":"pass","Package":"p","Test":"TestLonger","Elapsed":80.5}
				{"Action":"pass","Package":"p"}`,
			last:  "4 passed, 0 failed",
			has:   []string{"slow  p TestLonger (80.5 s)\nslow  p TestLong (61.2 s)\n"},
			lacks: []string{"TestShort", "part"},
		},
		{
			name: "a skipped test is shown and counted apart",
			events: `{"Action":"output","Package":"p","Test":"TestSkip","Output":"no reason\n"}
				{"Action":"skip","Package":"p","Test":"TestSkip"}
				{"Action":"pass","Package":"p"}`,
			last: "0 passed, 0 failed",
			has:  []string{"skip  p TestSkip", "no reason", "1 skipped\n"},
		},
		{
			name:   "what is not an event is passed on",
			events: "flag provided but not defined\n",
			last:   "0 passed, 0 failed",
			has:    []string{"flag provided but not defined\n"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := reportOf(c.events)
			if !strings.HasSuffix(text, "\n"+c.last+"\n") && text != c.last+"\n" {
				t.Errorf("last line is not %q:\n%s", c.last, text)
			}
			for _, want := range c.has {
				if !strings.Contains(text, want) {
					t.Errorf("lacks %q:\n%s", want, text)
				}
			}
			for _, stray := range c.lacks {
				if strings.Contains(text, stray) {
					t.Errorf("has %q:\n%s", stray, text)
				}
			}
		})
	}
}
