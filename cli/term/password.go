package term

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// maxPassword bounds what is read; the server bounds it further.
const maxPassword = 4096

// NewPassword reads a password: a line of the standard input or, unseen, what
// is typed twice.
func (s *IO) NewPassword(ctx context.Context, stdin bool) (string, error) {
	if stdin {
		line, err := bufio.NewReader(io.LimitReader(s.Stdin, maxPassword)).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return password(line, err)
	}
	terminal, ok := s.Stdin.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return "", errors.New("there is no terminal to read the password from: give it on the standard input with --password-stdin")
	}
	return s.typed(ctx, int(terminal.Fd()))
}

// typed asks twice, while the terminal shows nothing.
func (s *IO) typed(ctx context.Context, terminal int) (string, error) {
	before, err := term.GetState(terminal)
	if err != nil {
		return "", fmt.Errorf("the password cannot be typed unseen here (%w): give it on the standard input with --password-stdin", err)
	}
	type answer struct {
		password string
		err      error
	}
	answers := make(chan answer, 1)
	go func() { // reading cannot be interrupted, waiting for it can
		typed, err := s.twice(func() (string, error) {
			text, err := term.ReadPassword(terminal)
			return string(text), err
		})
		answers <- answer{typed, err}
	}()
	select {
	case a := <-answers:
		return a.password, a.err
	case <-ctx.Done():
		return "", errors.Join(ctx.Err(), term.Restore(terminal, before))
	}
}

func (s *IO) twice(read func() (string, error)) (string, error) {
	ask := func(prompt string) (string, error) {
		fmt.Fprint(s.Stderr, prompt)
		defer fmt.Fprintln(s.Stderr)
		return password(read())
	}
	first, err := ask("Password: ")
	if err != nil {
		return "", err
	}
	second, err := ask("Once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two are not the same: nothing was changed")
	}
	return first, nil
}

// password is a line that was read as one.
func password(line string, err error) (string, error) {
	if err != nil {
		return "", fmt.Errorf("cannot read the password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("the password is empty")
	}
	return line, nil
}
