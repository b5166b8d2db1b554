// Package cursor owns the positions in a list that callers carry from page to
// page: they are sealed, so that nobody reads or makes one, and bound to the
// question they belong to. It refuses a cursor that was changed, or that is
// shown with another dataset, order, where or tenant.
//
// Cursors are deterministic: the same position of the same question is the
// same text, so that answers stay equal bytes. The nonce of AES-256-GCM is
// taken from a MAC of all that is sealed; equal nonces mean equal plaintexts.
package cursor

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"usher/fault"
)

// Sealer seals cursors under one secret, and opens those of others as well: a
// secret is replaced without the pages that people stand on.
type Sealer struct {
	key
	others []key
}

// New makes a Sealer that seals under a secret and opens what it or one of the
// others has sealed. All gateways behind one address need the same; without a
// secret one is made up, and cursors end with the process.
func New(secret []byte, others ...[]byte) (*Sealer, error) {
	if len(secret) == 0 {
		secret = make([]byte, 32)
		_, _ = rand.Read(secret) // never fails
	}
	var s Sealer
	var err error
	if s.key, err = newKey(secret); err != nil {
		return nil, err
	}
	for _, other := range others {
		k, err := newKey(other)
		if err != nil {
			return nil, err
		}
		s.others = append(s.others, k)
	}
	return &s, nil
}

// key is what a secret is made of. A cursor does not say whose it is: its seal
// fits one of them or none.
type key struct {
	aead cipher.AEAD
	mac  []byte
}

func newKey(secret []byte) (key, error) {
	encrypt, mac := derive(secret, "encrypt"), derive(secret, "nonce")
	block, err := aes.NewCipher(encrypt)
	if err != nil {
		return key{}, fmt.Errorf("cursor key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return key{}, fmt.Errorf("cursor cipher: %w", err)
	}
	return key{aead: aead, mac: mac}, nil
}

func derive(secret []byte, purpose string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("usher cursor " + purpose))
	return h.Sum(nil)
}

// Seal makes the cursor of a position in the list that binding names.
func (s *Sealer) Seal(binding, position []byte) string {
	h := hmac.New(sha256.New, s.mac)
	h.Write(binding)
	h.Write([]byte{0})
	h.Write(position)
	nonce := h.Sum(nil)[:s.aead.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, position, binding))
}

// Open returns the position that Seal sealed under the same binding.
func (s *Sealer) Open(binding []byte, text string) ([]byte, error) {
	refused := fault.New(fault.BadUserInput, "the cursor does not belong to this list").
		WithHint("use cursors with the same dataset, where and orderBy as the page they came from")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) < s.aead.NonceSize() {
		return nil, refused
	}
	if position, err := s.open(binding, raw); err == nil {
		return position, nil
	}
	for _, k := range s.others {
		if position, err := k.open(binding, raw); err == nil {
			return position, nil
		}
	}
	return nil, refused
}

func (k key) open(binding, raw []byte) ([]byte, error) {
	return k.aead.Open(nil, raw[:k.aead.NonceSize()], raw[k.aead.NonceSize():], binding)
}
