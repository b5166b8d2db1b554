package tenancy

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"usher/fault"
)

// PasswordCost is what hashing a password takes.
type PasswordCost struct {
	MemoryKiB uint32 // default 19456
	Passes    uint32 // default 2
}

func (c PasswordCost) withDefaults() PasswordCost {
	return PasswordCost{MemoryKiB: cmp.Or(c.MemoryKiB, 19456), Passes: cmp.Or(c.Passes, 2)}
}

const (
	saltBytes   = 16
	hashBytes   = 32
	maxPassword = 1024 // bytes
	maxMemory   = 1 << 20
	maxPasses   = 64
)

// hash is argon2id in its usual encoding, which carries the cost.
func (c PasswordCost) hash(password string) string {
	salt := randomBytes(saltBytes)
	sum := argon2.IDKey([]byte(password), salt, c.Passes, c.MemoryKiB, 1, hashBytes)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, c.MemoryKiB, c.Passes, encode(salt), encode(sum))
}

// verifyPassword compares a password with an encoded hash, at the hash's cost.
func verifyPassword(password, encoded string) (bool, error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return false, errors.New("the password's hash is not argon2id")
	}
	var cost PasswordCost
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=1", &cost.MemoryKiB, &cost.Passes); err != nil || n != 2 {
		return false, errors.New("the password's hash does not say its cost")
	}
	if cost.MemoryKiB == 0 || cost.MemoryKiB > maxMemory || cost.Passes == 0 || cost.Passes > maxPasses {
		return false, errors.New("the cost of the password's hash is out of bounds")
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	want, wantErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || wantErr != nil || len(want) != hashBytes {
		return false, errors.New("the password's hash is damaged")
	}
	got := argon2.IDKey([]byte(password), salt, cost.Passes, cost.MemoryKiB, 1, hashBytes)
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func (s *Store) checkPassword(username, password string) error {
	switch {
	case len(password) > maxPassword || !utf8.ValidString(password):
		return unusable("the password must be text of at most %d bytes", maxPassword)
	case utf8.RuneCountInString(password) < s.opts.MinPassword:
		return unusable("the password must have at least %d characters", s.opts.MinPassword)
	case strings.EqualFold(password, username):
		return unusable("the password must not be the username")
	}
	return nil
}

// hashWait is how long one waits for a turn to hash.
const hashWait = 3 * time.Second

// turn bounds how many passwords are hashed at the same time, and with them
// the memory that this takes.
func (s *Store) turn(ctx context.Context) (done func(), err error) {
	timer := time.NewTimer(hashWait)
	defer timer.Stop()
	select {
	case s.hashing <- struct{}{}:
		return func() { <-s.hashing }, nil
	case <-ctx.Done():
		return nil, fault.From(ctx.Err())
	case <-timer.C:
		busy := fault.New(fault.TooManyRequests, "too many are logging in at this moment")
		busy.RetryAfter = hashWait
		return nil, busy
	}
}

// newPassword hashes a password that may be one. It takes a while, and is
// therefore done before a transaction begins.
func (s *Store) newPassword(ctx context.Context, username, password string) (hash string, err error) {
	if err := s.checkPassword(username, password); err != nil {
		return "", err
	}
	done, err := s.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return s.opts.Password.hash(password), nil
}
