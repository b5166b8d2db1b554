package tenancy

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"usher/fault"
	"usher/principal"
)

// SealKey encrypts what is secret at rest, with AES-256-GCM.
type SealKey struct {
	ID     string // stands beside what it has encrypted, so that keys can be replaced
	Secret []byte // 32 bytes
}

// String hides the key.
func (SealKey) String() string { return "(key)" }

// GoString hides the key.
func (SealKey) GoString() string { return "(key)" }

var keyIDForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// sealer encrypts with the current key and decrypts with all.
type sealer struct {
	current string // empty: there is no key
	ciphers map[string]cipher.AEAD
}

func newSealer(current SealKey, old []SealKey) (sealer, error) {
	s := sealer{ciphers: map[string]cipher.AEAD{}}
	add := func(key SealKey) error {
		if !keyIDForm.MatchString(key.ID) {
			return fmt.Errorf("a key's id must have the form %s", keyIDForm)
		}
		if s.ciphers[key.ID] != nil {
			return fmt.Errorf("two keys have the id %s", key.ID)
		}
		if len(key.Secret) != 32 {
			return fmt.Errorf("key %s must have 32 bytes, not %d", key.ID, len(key.Secret))
		}
		block, err := aes.NewCipher(key.Secret)
		if err != nil {
			return err
		}
		s.ciphers[key.ID], err = cipher.NewGCM(block)
		return err
	}
	if current.ID != "" || len(current.Secret) > 0 {
		s.current = current.ID
		if err := add(current); err != nil {
			return sealer{}, err
		}
	}
	for _, key := range old {
		if err := add(key); err != nil {
			return sealer{}, err
		}
	}
	return s, nil
}

// What stands before a stored text tells how to read it.
const (
	sealedPrefix = "sealed."
	plainPrefix  = "plain."
)

// sealAccounts writes accounts for the row of that name, to which an encrypted
// text is bound: moved into another row it cannot be read.
func (s sealer) sealAccounts(accounts map[string]principal.Account, row string) (string, error) {
	if len(accounts) == 0 {
		return "", nil
	}
	text, err := json.Marshal(accounts) //nolint:gosec // What holds a secret is encrypted below.
	if err != nil {
		return "", fault.New(fault.Internal, "the accounts cannot be stored").Because(err)
	}
	if s.current == "" {
		if holdsSecret(accounts) {
			return "", fault.New(fault.BadUserInput, "the accounts hold a credential, and the control store has no key to encrypt it").
				WithHint("Configure the control store's key.")
		}
		return plainPrefix + string(text), nil
	}
	nonce := randomBytes(12)
	sealed := s.ciphers[s.current].Seal(nonce, nonce, text, []byte(row))
	return sealedPrefix + s.current + "." + base64.RawStdEncoding.EncodeToString(sealed), nil
}

// holdsSecret tells whether any member may be a credential.
func holdsSecret(accounts map[string]principal.Account) bool {
	for _, a := range accounts {
		if a.Password != "" || len(a.Headers) > 0 || len(a.Properties) > 0 {
			return true
		}
	}
	return false
}

func (s sealer) openAccounts(stored, row string) (map[string]principal.Account, error) {
	if stored == "" {
		return nil, nil
	}
	text, err := s.open(stored, row)
	if errors.Is(err, errNoKey) {
		return nil, fault.New(fault.Unavailable, "an account in the control store is encrypted with a key that is not configured").
			WithHint("Tell an administrator: usher's log names the key, which belongs under `control.old_keys`.").Because(err)
	}
	if err != nil {
		return nil, fault.New(fault.Internal, "an account in the control store cannot be read").Because(err)
	}
	var accounts map[string]principal.Account
	if err := json.Unmarshal(text, &accounts); err != nil {
		return nil, fault.New(fault.Internal, "an account in the control store cannot be read").Because(err)
	}
	return accounts, nil
}

var errNoKey = errors.New("the key is not configured")

func (s sealer) open(stored, row string) ([]byte, error) {
	if text, ok := strings.CutPrefix(stored, plainPrefix); ok {
		return []byte(text), nil
	}
	id, encoded, ok := strings.Cut(strings.TrimPrefix(stored, sealedPrefix), ".")
	if !ok || !strings.HasPrefix(stored, sealedPrefix) {
		return nil, errors.New("the text is neither sealed nor plain")
	}
	aead := s.ciphers[id]
	if aead == nil {
		return nil, fmt.Errorf("%w: it was encrypted with key %q", errNoKey, id)
	}
	sealed, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil || len(sealed) < aead.NonceSize() {
		return nil, errors.New("the sealed text is damaged")
	}
	text, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(row))
	if err != nil {
		return nil, errors.New("the sealed text is damaged, of another row, or of another key with the same id")
	}
	return text, nil
}
