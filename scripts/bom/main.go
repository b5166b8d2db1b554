// Command bom reads from a program of usher of which modules it was made, and
// writes a bill of materials (CycloneDX, JSON), and the licenses of all of them
// in one text. What it writes depends on the program and the moment it is given
// only, so that the same program has the same bill.
package main

import (
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "bom:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, env func(string) string) error {
	flags := flag.NewFlagSet("bom", flag.ContinueOnError)
	version := flags.String("version", "", "the `version` of the program")
	bill := flags.String("bill", "", "the `file` to write the bill of materials to")
	licenses := flags.String("licenses", "", "the `file` to write the licenses to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 || *version == "" || *bill == "" || *licenses == "" {
		return errors.New("usage: SOURCE_DATE_EPOCH=1700000000 bom -version v1.2.3 -bill FILE -licenses FILE PROGRAM")
	}
	seconds, err := strconv.ParseInt(env("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return errors.New("SOURCE_DATE_EPOCH is to say when, in seconds since 1970")
	}
	program := flags.Arg(0)
	made, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	sum, err := sumOf(program)
	if err != nil {
		return err
	}
	text, err := render(billOf(made, *version, sum, time.Unix(seconds, 0)))
	if err != nil {
		return err
	}
	if err := os.WriteFile(*bill, text, 0o644); err != nil { //nolint:gosec // it is for everybody
		return err
	}
	all, err := licensesOf(modulesOf(made), func(path, version string) (string, error) { return folderOf(ctx, path, version) })
	if err != nil {
		return err
	}
	return os.WriteFile(*licenses, []byte(all), 0o644) //nolint:gosec // likewise
}

func sumOf(file string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(file)
	if err != nil {
		return sum, err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	h.Sum(sum[:0])
	return sum, nil
}

// folderOf is where the module cache has a module, or where the sources of Go are.
func folderOf(ctx context.Context, path, version string) (string, error) {
	args := []string{"list", "-m", "-f", "{{.Dir}}", path + "@" + version}
	if path == std {
		args = []string{"env", "GOROOT"}
	}
	out, err := exec.CommandContext(ctx, "go", args...).Output() //nolint:gosec // modules of a program that was just built
	folder := strings.TrimSpace(string(out))
	if err == nil && folder == "" {
		err = errors.New("it is not in the module cache: go mod download")
	}
	return folder, err
}
