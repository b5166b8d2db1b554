package demo

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

const progressEvery = 2 * time.Second

// progress says what is being made, as long as it is being made.
type progress struct {
	current atomic.Value // string
	quit    chan struct{}
	done    chan struct{}
}

func startProgress(w io.Writer, every time.Duration) *progress {
	p := &progress{quit: make(chan struct{}), done: make(chan struct{})}
	p.step("preparing")
	go p.run(w, every)
	return p
}

func (p *progress) run(w io.Writer, every time.Duration) {
	defer close(p.done)
	start, tick := time.Now(), time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-p.quit:
			return
		case <-tick.C:
			fmt.Fprintf(w, "making sample data: %v (%v)\n", p.current.Load(), time.Since(start).Round(time.Second))
		}
	}
}

func (p *progress) step(name string) { p.current.Store(name) }

func (p *progress) stop() {
	close(p.quit)
	<-p.done
}
