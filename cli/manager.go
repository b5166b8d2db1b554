package cli

import (
	"context"
	"net"
	"strconv"
	"time"

	"usher/cli/term"
)

// manager tells a service manager how far the process is, in the words of
// sd_notify(3), if one listens: units of Type=notify. Nobody waits for it, and
// nothing depends on whether it heard.
func manager(ctx context.Context, s *term.IO) (tell func(state string)) {
	socket, _ := s.Env("NOTIFY_SOCKET") // @ stands for the abstract namespace, as Go has it
	if socket == "" {
		return func(string) {}
	}
	return func(state string) {
		var d net.Dialer
		conn, err := d.DialContext(context.WithoutCancel(ctx), "unixgram", socket)
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte(state))
		_ = conn.Close()
	}
}

// alive tells a service manager that watches the process (WatchdogSec=) that it is alive, twice in the time that it waits for that.
func alive(ctx context.Context, s *term.IO, tell func(state string)) {
	text, _ := s.Env("WATCHDOG_USEC")
	micros, err := strconv.ParseInt(text, 10, 64)
	if err != nil || micros < 2 {
		return
	}
	ticker := time.NewTicker(time.Duration(micros) * time.Microsecond / 2)
	defer ticker.Stop()
	for {
		tell("WATCHDOG=1")
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
