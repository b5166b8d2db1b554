package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is a server that was started and has to be stopped.
type process struct {
	cmd    *exec.Cmd
	log    string
	end    syscall.Signal // asks it to end
	exited chan struct{}
}

// startProcess starts a command whose output goes to a file.
func startProcess(cmd *exec.Cmd, log string, end syscall.Signal) (*process, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	cmd.Stdout, cmd.Stderr = file, file
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: end}
	}
	cmd.SysProcAttr.Setpgid = true // Ctrl-C is for us; we stop our children in order
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, log: log, end: end, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// await asks until the process answers.
func (p *process) await(ctx context.Context, name string, limit time.Duration, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			report, _ := os.ReadFile(p.log)
			return fmt.Errorf("%s ended while starting:\n%s", name, report)
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", name, err)
		case <-time.After(time.Millisecond):
		}
	}
}

const stopTime = 30 * time.Second

// stop ends the process and waits for it.
func (p *process) stop() error {
	select {
	case <-p.exited:
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(p.end); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopTime):
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
	return fmt.Errorf("process %d had to be killed", p.pid())
}
