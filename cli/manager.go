package cli

import (
	"context"
	"net"

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
