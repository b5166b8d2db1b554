// Package textfile reads the files that a configuration names. Whatever stands in their place, nobody waits for it for
// good: a pipe is read while somebody writes to it, and for so long only; one that nobody writes to is empty. It refuses
// what is larger than its reader says.
package textfile

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// patience is how long whoever writes to a pipe may take.
const patience = 10 * time.Second

// Most is enough for lists of certificates, keys and documents.
const Most = 64 << 20

// ErrLarge is the cause of the refusal of a file that is too large.
var ErrLarge = errors.New("it is too large")

// Read reads a file of at most so many bytes.
func Read(name string, most int64) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // blocking, it would wait for who writes to a pipe
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	_ = f.SetReadDeadline(time.Now().Add(patience)) // files have none
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s: %w: %d bytes are allowed", name, ErrLarge, most)
	}
	return text, err
}

// KeyPair reads a certificate and its key, as tls.LoadX509KeyPair does.
func KeyPair(cert, key string) (tls.Certificate, error) {
	shown, err := Read(cert, Most)
	if err != nil {
		return tls.Certificate{}, err
	}
	secret, err := Read(key, Most)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(shown, secret)
}
