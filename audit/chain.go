package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Key makes the links of chains. Who has it not cannot make one that fits: that is
// what a chain proves. The zero key is none; its links tell of accidents only.
type Key struct{ secret []byte }

// NewKey derives a key from a secret that is used for something else.
func NewKey(secret []byte) Key {
	if len(secret) == 0 {
		return Key{}
	}
	return Key{secret: sum(secret, "usher audit chain")}
}

// Place is a place in a chain: the number of an entry there, counted from one, and its
// link. Place zero of each chain has the empty link.
type Place struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`
	Link  string `json:"link"` // hexadecimal
}

// Next is the place of an entry that comes after p. Its link is a MAC
// (HMAC-SHA256) over the chain, the number, the link before, and all that is stored of the
// entry, each with its length before it.
func (k Key) Next(p Place, stored []string) Place {
	p.Seq++
	parts := append([]string{"entry", p.Chain, number(p.Seq), p.Link}, stored...)
	p.Link = hex.EncodeToString(sum(k.secret, parts...))
	return p
}

// What a place is, as it is sealed.
const (
	headSeal   = "head"   // the last place of a chain
	anchorSeal = "anchor" // the last place whose entry had its time and was removed
)

// SealHead and SealAnchor say that a place is the last one, or the last one removed.
func (k Key) SealHead(p Place) string   { return k.seal(headSeal, p) }
func (k Key) SealAnchor(p Place) string { return k.seal(anchorSeal, p) }

func (k Key) seal(what string, p Place) string {
	return hex.EncodeToString(sum(k.secret, what, p.Chain, number(p.Seq), p.Link))
}

func number(n int64) string { return string(binary.BigEndian.AppendUint64(nil, uint64(n))) }

func sum(secret []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, secret)
	var length [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}
