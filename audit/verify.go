package audit

import (
	"crypto/hmac"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
)

// Chain is what is stored of a chain beside its entries.
type Chain struct {
	KeyID  string // of the key that makes its links; empty: none
	Head   Place
	Sealed string // the head

	Anchor       Place  // what comes after it is there; Seq 0: all is
	AnchorKeyID  string // of whoever removed what came before
	AnchorSealed string
}

// Line is an entry in its chain, as it is stored.
type Line struct {
	ID string
	Place
	Stored []string
}

// Finding is something that is wrong.
type Finding struct {
	Text string `json:"text"`
	Of   string `json:"of,omitempty"` // a digest of the entry, or the head, that it was found at, as it was then
}

// Seen is what an earlier report has vouched for: kept elsewhere, it proves later that nothing was cut off.
type Seen struct {
	Heads    []Place   `json:"heads"`              // of all chains
	Accepted []Finding `json:"accepted,omitempty"` // what somebody has looked into: as long as it stays as it is it is no problem
}

// Report is what was found in a log.
type Report struct {
	Entries  int64     `json:"entries"`  // that stand in chains
	Heads    []Place   `json:"heads"`    // of all chains
	Problems int64     `json:"problems"` // how many there are
	Told     []string  `json:"told"`     // the first of them
	Accepted []Finding `json:"accepted"` // what was found and is no problem, since it was accepted earlier

	seen  []Finding // that were accepted
	found []Finding // those that are told
}

// maxTold bounds how many problems are told one by one, and may be accepted at a time.
const maxTold = 100

// Problem adds what is wrong, unless it was accepted.
func (r *Report) Problem(format string, args ...any) { r.problem("", format, args...) }

// problem is Problem at something of which a digest is known.
func (r *Report) problem(of, format string, args ...any) {
	f := Finding{Text: fmt.Sprintf(format, args...), Of: of}
	if slices.Contains(r.seen, f) {
		r.Accepted = append(r.Accepted, f)
		return
	}
	if r.Problems++; len(r.Told) < maxTold {
		r.Told, r.found = append(r.Told, f.Text), append(r.found, f)
	}
}

// Vouched is what the report vouches for: with what was accepted and is there still and, where that is accepted now, with
// what is told.
func (r *Report) Vouched(accept bool) Seen {
	seen := Seen{Heads: append([]Place{}, r.Heads...), Accepted: r.Accepted}
	if accept {
		seen.Accepted = slices.Concat(seen.Accepted, r.found)
	}
	return seen
}

// Verify reads a log: the chains, and their lines in the order of chains and numbers.
// Seen is of an earlier report. What the keys do not tell apart from a changed
// log is a problem, too.
func Verify(keys map[string]Key, chains map[string]Chain, seen Seen, lines iter.Seq2[Line, error]) (Report, error) {
	v := verifier{keys: keys, chains: chains, seen: make(map[string][]Place), Report: Report{seen: seen.Accepted}}
	for _, p := range seen.Heads {
		v.seen[p.Chain] = append(v.seen[p.Chain], p)
	}
	for line, err := range lines {
		if err != nil {
			return Report{}, err
		}
		v.line(line)
	}
	v.end()
	for id, c := range chains {
		if !v.read[id] {
			v.begin(id)
			v.end()
		}
		v.Heads = append(v.Heads, c.Head)
	}
	for id, places := range v.seen {
		if _, ok := chains[id]; !ok {
			v.Problem("chain %s is gone; it had %d entries when its head was noted", id, places[0].Seq)
		}
	}
	return v.Report, nil
}

type verifier struct {
	Report
	keys   map[string]Key
	chains map[string]Chain
	seen   map[string][]Place
	read   map[string]bool

	chain   string // that is read
	at      Place  // the last place that was read
	key     Key
	trusted bool // links can be checked
}

// begin takes a chain up where its first entry has to be.
func (v *verifier) begin(id string) {
	if v.read == nil {
		v.read = make(map[string]bool)
	}
	v.chain, v.at, v.trusted = id, Place{Chain: id}, false
	v.read[id] = true
	c, ok := v.chains[id]
	if !ok {
		v.Problem("chain %s has entries and no head", id)
		return
	}
	if v.key, ok = v.keys[c.KeyID]; !ok {
		v.Problem("chain %s was made with key %q, which is not configured: it cannot be checked", id, c.KeyID)
		return
	}
	if c.KeyID == "" && len(v.keys) > 1 {
		v.Problem("chain %s was made without a key: anybody who writes to the store could have made it", id)
	}
	v.trusted = true
	if !same(c.Sealed, v.key.SealHead(c.Head)) {
		v.problem(digest(c.Head, c.Sealed), "chain %s: its head was changed", id)
	}
	if c.Anchor.Seq == 0 {
		return
	}
	anchoring, ok := v.keys[c.AnchorKeyID]
	if !ok || !same(c.AnchorSealed, anchoring.SealAnchor(c.Anchor)) {
		v.problem(digest(c.Anchor, c.AnchorSealed), "chain %s: entries up to %d are gone, and it is not said by usher that they had their time", id, c.Anchor.Seq)
	}
	v.at = c.Anchor
	v.witnessed()
}

// line checks an entry against the one before it.
func (v *verifier) line(l Line) {
	if l.Chain != v.chain {
		v.end()
		v.begin(l.Chain)
	}
	v.Entries++
	if !v.trusted {
		return
	}
	if l.Seq <= v.at.Seq {
		v.problem(digest(l.Place, l.Stored...), "entry %s: it has the number %d of chain %s, which another one has, or had", l.ID, l.Seq, l.Chain)
		return
	}
	if l.Seq > v.at.Seq+1 {
		v.problem(digest(l.Place, l.Stored...), "chain %s: entries %d to %d are missing before entry %s", l.Chain, v.at.Seq+1, l.Seq-1, l.ID)
		v.at = l.Place // what comes after it can still be checked
		return
	}
	if v.at = v.key.Next(v.at, l.Stored); !same(v.at.Link, l.Link) {
		v.problem(digest(l.Place, l.Stored...), "entry %s: it was changed, or the one before it (number %d of chain %s)", l.ID, l.Seq, l.Chain)
		v.at = l.Place
	}
	v.witnessed()
}

// witnessed checks the place that was read against what was noted of it earlier.
func (v *verifier) witnessed() {
	for _, p := range v.seen[v.chain] {
		if p.Seq == v.at.Seq && !same(p.Link, v.at.Link) {
			v.Problem("chain %s: up to entry %d it is another one than was noted earlier", v.chain, p.Seq)
		}
	}
}

// end checks that a chain goes on to its head, and at least as far as it was seen to go.
func (v *verifier) end() {
	if v.chain == "" || !v.trusted {
		return
	}
	head := v.chains[v.chain].Head
	if v.at.Seq != head.Seq {
		v.Problem("chain %s: it ends with entry %d, and its head is entry %d", v.chain, v.at.Seq, head.Seq)
	} else if !same(v.at.Link, head.Link) {
		v.problem(digest(head), "chain %s: its head is not its last entry's", v.chain)
	}
	for _, p := range v.seen[v.chain] {
		if p.Seq > v.at.Seq {
			v.Problem("chain %s: it ends with entry %d, and went on to entry %d when that was noted", v.chain, v.at.Seq, p.Seq)
		}
	}
	v.chain = ""
}

// digest tells a place, and what is stored there, from what may be there later.
func digest(p Place, stored ...string) string {
	return hex.EncodeToString(sum(nil, append([]string{p.Chain, number(p.Seq), p.Link}, stored...)...))
}

func same(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
