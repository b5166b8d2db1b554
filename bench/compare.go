package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// answers are what a server says to some of a workload's questions, by who
// asked which.
type answers map[string][]byte

// pagesEach is how many pages are read of a tenant before it is the next one's turn.
const pagesEach = 5

// ask asks the first question of every asker, or of the first few of them, once.
func (v *server) ask(ctx context.Context, w workload, askers []asker, most int) (answers, error) {
	c, err := dial(ctx, v.address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.close() }()
	out := make(answers)
	var text []byte
	for i := range askers[:min(most, len(askers))] {
		a := &askers[i]
		cursor := []byte("null")
		for page := range pagesEach {
			name := a.name
			if text = a.request(text[:0], a.holding.number); w.pages {
				name = fmt.Sprintf("%s page %d", a.name, page)
				text = a.with(text[:0], cursor)
			}
			answer, err := c.ask(text)
			if err != nil {
				return nil, fmt.Errorf("%s, %s of %s: %w", v.name, w.name, name, err)
			}
			out[name] = bytes.Clone(answer)
			if !w.pages {
				break
			}
			cursor = endCursor(answer)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// compare refuses answers that are not those of the baseline: byte for byte, or
// in what they say, of a server that writes values in another way. An import has
// no answer that two servers give alike; its rows are counted.
func (v *server) compare(w workload, want, got answers) error {
	if w.path != "" {
		return nil
	}
	for name := range want {
		mine, err := data(got[name])
		if err != nil {
			return fmt.Errorf("%s, %s of %s: %w", v.name, w.name, name, err)
		}
		theirs, err := data(want[name])
		if err != nil {
			return fmt.Errorf("the baseline, %s of %s: %w", w.name, name, err)
		}
		if w.pages {
			mine, theirs = withoutCursor(mine), withoutCursor(theirs)
		}
		if v.kind == postgraphile {
			if mine, err = plain(mine); err != nil {
				return fmt.Errorf("%s, %s of %s: %w", v.name, w.name, name, err)
			}
			if theirs, err = plain(theirs); err != nil {
				return fmt.Errorf("the baseline, %s of %s: %w", w.name, name, err)
			}
		}
		if !bytes.Equal(mine, theirs) {
			at := 0
			for at < min(len(mine), len(theirs)) && mine[at] == theirs[at] {
				at++
			}
			from := max(0, at-60)
			return fmt.Errorf("%s answers %s of %s not as the baseline: …%.160s… in place of …%.160s…", v.name, w.name, name, mine[min(from, len(mine)):], theirs[min(from, len(theirs)):])
		}
	}
	return nil
}

// withoutCursor leaves out where the page ends: a cursor is each server's own.
func withoutCursor(answer []byte) []byte {
	return bytes.Replace(answer, append([]byte(`"endCursor":`), endCursor(answer)...), []byte(`"endCursor":…`), 1)
}

// plain is what an answer says, however numbers and times are written: both as
// texts, times in UTC.
func plain(answer []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	var out bytes.Buffer
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
		text := fmt.Sprint(token)
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil && strings.Contains(text, "T") {
			text = at.UTC().Format(time.RFC3339Nano)
		}
		out.WriteString(text)
		out.WriteByte(' ')
	}
}
