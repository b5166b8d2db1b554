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

// Sealer seals and opens cursors under one secret.
type Sealer struct {
	aead cipher.AEAD
	mac  []byte
}

// New makes a Sealer. All gateways behind one address need the same secret;
// without one a secret is made up, and cursors end with the process.
func New(secret []byte) (*Sealer, error) {
	if len(secret) == 0 {
		secret = make([]byte, 32)
		_, _ = rand.Read(secret) // never fails
	}
	key, mac := derive(secret, "encrypt"), derive(secret, "nonce")
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("cursor key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("cursor cipher: %w", err)
	}
	return &Sealer{aead: aead, mac: mac}, nil
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
	position, err := s.aead.Open(nil, raw[:s.aead.NonceSize()], raw[s.aead.NonceSize():], binding)
	if err != nil {
		return nil, refused
	}
	return position, nil
}
