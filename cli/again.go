package cli

import (
	"fmt"
	"os"
)

// readAgain reads a file once more. What is no regular file may be there once, as a pipe is, and never end.
func readAgain(name string) ([]byte, error) {
	if err := readableAgain(name); err != nil {
		return nil, err
	}
	return os.ReadFile(name)
}

func readableAgain(name string) error {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file, which is read once, at the start", name)
	}
	return err
}
