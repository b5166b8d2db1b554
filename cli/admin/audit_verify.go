package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"usher/audit"
	"usher/cli/term"
)

type auditVerify struct {
	Config string `short:"c" default:"usher.yml" env:"USHER_CONFIG" help:"The configuration file (${default})." placeholder:"FILE"`
	JSON   bool   `help:"Print JSON."`
	Heads  string `help:"Write the heads of the chains into a file. Kept where nobody of the store's database writes, it proves later that nothing was cut off. Not written where something is wrong, unless that is accepted." placeholder:"FILE"`
	Accept bool   `help:"Write the heads though something is wrong: it was looked into, as after the store was put back. The status says it still."`
	Seen   string `help:"A file of heads that was written earlier: all of it has to be there still." placeholder:"FILE"`
}

// Run opens the control store itself: whoever checks a log does not ask the one who writes it.
func (c auditVerify) Run(ctx context.Context, s *term.IO) (err error) {
	var seen []audit.Place
	if c.Seen != "" {
		if seen, err = readHeads(c.Seen); err != nil {
			return err
		}
	}
	store, err := openStore(ctx, s, c.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	var read atomic.Int64
	stop := counted(s.Stderr, &read)
	report, err := store.VerifyAudit(ctx, seen, read.Store)
	stop()
	if err != nil {
		return err
	}
	if err := (remote{JSON: c.JSON}).show(s, report, func(w io.Writer) { tellReport(w, report) }); err != nil {
		return err
	}
	if report.Problems > 0 {
		err = fmt.Errorf("the audit log is not as usher wrote it: %d findings", report.Problems)
	}
	switch {
	case c.Heads == "":
	case err == nil || c.Accept:
		err = errors.Join(err, writeHeads(c.Heads, report.Heads))
	default: // they would vouch for it
		err = fmt.Errorf("%w; no heads were written to %s (--accept writes them, once you have looked into it)", err, c.Heads)
	}
	return err
}

func tellReport(w io.Writer, r audit.Report) {
	for _, told := range r.Told {
		row(w, told)
	}
	if more := r.Problems - int64(len(r.Told)); more > 0 {
		row(w, fmt.Sprintf("and %d more", more))
	}
	if r.Problems == 0 {
		row(w, fmt.Sprintf("%d entries in %d chains: nothing was changed, added or removed", r.Entries, len(r.Heads)))
	}
}

func readHeads(file string) ([]audit.Place, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var heads []audit.Place
	if err := json.Unmarshal(text, &heads); err != nil {
		return nil, fmt.Errorf("%s holds no heads, as `usher audit verify --heads` writes them: %w", file, err)
	}
	for _, h := range heads {
		if h.Chain == "" || h.Seq < 1 || h.Link == "" {
			return nil, fmt.Errorf("%s holds a head without its chain, number or link", file)
		}
	}
	return heads, nil
}

// writeHeads replaces the file as a whole: it may be the one that was read.
func writeHeads(file string, heads []audit.Place) error {
	text, err := json.MarshalIndent(heads, "", "  ")
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = next.Write(append(text, '\n'))
	if err = errors.Join(err, next.Sync(), next.Close()); err == nil {
		err = os.Rename(next.Name(), file)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(next.Name()))
	}
	return err
}

// counted tells how many entries were read, once it takes long, until it is stopped.
func counted(to io.Writer, read *atomic.Int64) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(2 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-end:
				return
			case <-ticker.C:
				fmt.Fprintf(to, "usher: %d entries checked\n", read.Load())
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}
