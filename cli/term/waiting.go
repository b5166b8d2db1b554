package term

import (
	"fmt"
	"time"
)

// How long something may take before a person is told that it does, and how
// often after that.
const (
	patience = 2 * time.Second
	again    = 10 * time.Second
)

// Waiting tells on the standard error what is still being waited for, once it
// takes long. Whoever calls it calls what it returns when it is over.
func (s *IO) Waiting(what string) (over func()) {
	began := time.Now()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		next := time.NewTimer(patience)
		defer next.Stop()
		for {
			select {
			case <-stop:
				return
			case now := <-next.C:
				fmt.Fprintf(s.Stderr, "usher: %s (%s)\n", what, now.Sub(began).Round(time.Second))
				next.Reset(again)
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
	}
}
