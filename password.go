package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// maxPassword bounds what is read; the server bounds it further.
const maxPassword = 4096

// newPassword reads a password: a line of the standard input or, unseen, what
// is typed twice.
func (s *surroundings) newPassword(ctx context.Context, stdin bool) (string, error) {
	if stdin {
		return readLine(bufio.NewReader(io.LimitReader(s.stdin, maxPassword)))
	}
	terminal, ok := s.stdin.(*os.File)
	if !ok || !isTerminal(terminal) {
		return "", errors.New("there is no terminal to read the password from: give it on the standard input with --password-stdin")
	}
	return s.typed(ctx, terminal)
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// typed asks twice, while the terminal shows nothing.
func (s *surroundings) typed(ctx context.Context, terminal *os.File) (_ string, err error) {
	if err := stty(ctx, terminal, "-echo"); err != nil {
		return "", fmt.Errorf("the password cannot be typed unseen here (stty: %w): give it on the standard input with --password-stdin", err)
	}
	defer func() {
		fmt.Fprintln(s.stderr)
		err = errors.Join(err, stty(context.WithoutCancel(ctx), terminal, "echo"))
	}()
	type answer struct {
		password string
		err      error
	}
	answers := make(chan answer, 1)
	go func() { // reading cannot be interrupted, waiting for it can
		password, err := s.twice(bufio.NewReader(terminal))
		answers <- answer{password, err}
	}()
	select {
	case a := <-answers:
		return a.password, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (s *surroundings) twice(in *bufio.Reader) (string, error) {
	fmt.Fprint(s.stderr, "Password: ")
	first, err := readLine(in)
	if err != nil {
		return "", err
	}
	fmt.Fprint(s.stderr, "\nOnce more: ")
	second, err := readLine(in)
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two are not the same: nothing was changed")
	}
	return first, nil
}

func stty(ctx context.Context, terminal *os.File, setting string) error {
	command := exec.CommandContext(ctx, "stty", setting) //nolint:gosec // The setting is one of two above.
	command.Stdin = terminal
	return command.Run()
}

func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("cannot read the password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("the password is empty")
	}
	return line, nil
}
