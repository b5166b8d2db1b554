package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"usher/audit"
	"usher/cli/term"
)

type auditVerify struct {
	Config string `short:"c" default:"usher.yml" env:"USHER_CONFIG" help:"The configuration file (${default})." placeholder:"FILE"`
	JSON   bool   `help:"Print JSON."`
	Heads  string `help:"Write the heads of the chains into a file. Kept where nobody of the store's database writes, it proves later that nothing was cut off. Not written where something is wrong, unless that is accepted." placeholder:"FILE"`
	Accept bool   `help:"Write the heads though something is wrong, and what that is: it was looked into, as after the store was put back. With --seen of that file it is a problem no more, as long as it stays as it is."`
	Seen   string `help:"A file of heads that was written earlier: all of it has to be there still. What was accepted then is told as such." placeholder:"FILE"`
}

// Run opens the control store itself: whoever checks a log does not ask the one who writes it.
func (c auditVerify) Run(ctx context.Context, s *term.IO) (err error) {
	if c.Accept && c.Heads == "" {
		return errors.New("--accept needs --heads: what is accepted stands in that file")
	}
	var seen audit.Seen
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
	wrong := report.Problems
	if c.Accept {
		wrong -= int64(len(report.Told)) // what nobody was told is accepted by nobody
	}
	if wrong > 0 {
		err = fmt.Errorf("the audit log is not as usher wrote it: %d findings", wrong)
	}
	switch {
	case c.Heads == "":
	case err == nil || c.Accept:
		err = errors.Join(err, writeHeads(c.Heads, report.Vouched(c.Accept)))
		if len(report.Told) > 0 {
			fmt.Fprintf(s.Stderr, "usher: %s accepted, in %s\n", findings(len(report.Told)), c.Heads)
		}
	default: // they would vouch for it
		err = fmt.Errorf("%w; no heads were written to %s (--accept writes them, once you have looked into it)", err, c.Heads)
	}
	return err
}

func findings(n int) string {
	if n == 1 {
		return "1 finding is"
	}
	return fmt.Sprintf("%d findings are", n)
}

func tellReport(w io.Writer, r audit.Report) {
	for _, told := range r.Told {
		row(w, told)
	}
	if more := r.Problems - int64(len(r.Told)); more > 0 {
		row(w, fmt.Sprintf("and %d more", more))
	}
	for _, f := range r.Accepted {
		row(w, "accepted: "+f.Text)
	}
	switch {
	case r.Problems == 0 && len(r.Accepted) > 0:
		row(w, fmt.Sprintf("%d entries in %d chains: nothing was changed, added or removed but what was accepted", r.Entries, len(r.Heads)))
	case r.Problems == 0:
		row(w, fmt.Sprintf("%d entries in %d chains: nothing was changed, added or removed", r.Entries, len(r.Heads)))
	}
}

func readHeads(file string) (seen audit.Seen, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return seen, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) { // of before anything was accepted
		err = json.Unmarshal(text, &seen.Heads)
	} else {
		err = json.Unmarshal(text, &seen)
	}
	if err != nil {
		return seen, fmt.Errorf("%s holds no heads, as `usher audit verify --heads` writes them: %w", file, err)
	}
	if seen.Heads == nil {
		return seen, fmt.Errorf("%s holds no heads, as `usher audit verify --heads` writes them", file)
	}
	for _, h := range seen.Heads {
		if h.Chain == "" || h.Seq < 1 || h.Link == "" {
			return seen, fmt.Errorf("%s holds a head without its chain, number or link", file)
		}
	}
	return seen, nil
}

// writeHeads replaces the file as a whole: it may be the one that was read.
func writeHeads(file string, seen audit.Seen) error {
	text, err := json.MarshalIndent(seen, "", "  ")
	if err != nil {
		return err
	}
	return replace(file, func(to io.Writer) error {
		_, err := to.Write(append(text, '\n'))
		return err
	})
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
