package tenancy

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lib/pq"
)

// PostgresSpec is the account of the store's database. Nothing is taken from
// the process's PG* environment or home folder.
type PostgresSpec struct {
	Host     string // one name or address
	Port     int    // default 5432
	Database string
	User     string
	Password string
	SSLMode  string // disable, require or verify-full, the default
	RootCert string // PEM file; empty: the system's
	MaxConns int    // default 8

	// Timeout of every statement; a server that says nothing is given up a
	// second later. Default 3 s.
	Timeout time.Duration
}

// String hides the account: it holds a secret.
func (PostgresSpec) String() string { return "(account)" }

// GoString hides the account.
func (PostgresSpec) GoString() string { return "(account)" }

func (spec PostgresSpec) check() error {
	switch {
	case spec.Host == "" || strings.ContainsAny(spec.Host, "/@, \x00"):
		return errors.New("the host must be the name or address of one server")
	case spec.Port < 1 || spec.Port > 65535:
		return fmt.Errorf("port %d does not exist", spec.Port)
	case spec.Database == "" || len(spec.Database) > 63, spec.User == "" || len(spec.User) > 63:
		return errors.New("database and user must have 1 to 63 bytes")
	case strings.Contains(spec.Database+spec.User+spec.Password, "\x00"):
		return errors.New("database, user and password must not hold a NUL")
	}
	return nil
}

// postgresConnector makes connections that give up on a silent server: the
// driver alone would wait for ever.
type postgresConnector struct {
	spec   PostgresSpec
	config pq.Config
	tls    *tls.Config // nil: unencrypted
}

func newPostgresConnector(spec PostgresSpec) (*postgresConnector, error) {
	spec.Port = cmp.Or(spec.Port, 5432)
	spec.SSLMode = cmp.Or(spec.SSLMode, "verify-full")
	spec.Timeout = cmp.Or(spec.Timeout, 3*time.Second)
	if err := spec.check(); err != nil {
		return nil, err
	}
	encryption, err := encryptionOf(spec)
	if err != nil {
		return nil, err
	}
	return &postgresConnector{spec: spec, tls: encryption, config: pq.Config{
		Host: spec.Host, Port: uint16(spec.Port), Database: spec.Database, User: spec.User, Password: spec.Password,
		Passfile:           filepath.Join(os.DevNull, "none"), // cannot exist
		SSLMode:            pq.SSLModeDisable,                 // the link has TLS
		ApplicationName:    "usher control",
		ClientEncoding:     "UTF8",
		Datestyle:          "ISO, MDY",
		MinProtocolVersion: pq.ProtocolVersion30,
		MaxProtocolVersion: pq.ProtocolVersion30,
		Runtime: map[string]string{
			"search_path": "pg_catalog",
			"TimeZone":    "UTC",
		},
	}}, nil
}

func encryptionOf(spec PostgresSpec) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: spec.Host}
	switch spec.SSLMode {
	case "disable":
		return nil, nil
	case "require":
		config.InsecureSkipVerify = true // what the mode means
		return config, nil
	case "verify-full":
	default:
		return nil, fmt.Errorf("sslmode %q: want disable, require or verify-full", spec.SSLMode)
	}
	if spec.RootCert != "" {
		pem, err := os.ReadFile(spec.RootCert)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", spec.RootCert)
		}
	}
	return config, nil
}

// minConns is what migrating takes: one connection holds the lock.
const minConns = 2

func (c *postgresConnector) pool() *sql.DB {
	pool := sql.OpenDB(c)
	most := max(cmp.Or(c.spec.MaxConns, 8), minConns)
	pool.SetMaxOpenConns(most)
	pool.SetMaxIdleConns(most)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool
}

// Driver implements driver.Connector.
func (c *postgresConnector) Driver() driver.Driver { return pq.Driver{} }

// Connect implements driver.Connector.
func (c *postgresConnector) Connect(ctx context.Context) (driver.Conn, error) {
	made, _, err := c.connect(ctx)
	return made, err
}

// connect also returns the link below the connection.
func (c *postgresConnector) connect(ctx context.Context) (driver.Conn, *link, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience())
	defer cancel()
	l, err := c.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	config, sent := c.marked()
	connector, err := pq.NewConnectorConfig(config)
	if err == nil {
		connector.Dialer(&onceDialer{connector: c, link: l})
		var made driver.Conn
		if made, err = connector.Connect(ctx); err == nil {
			if err = c.arrived(ctx, made, sent); err == nil {
				return made, l, nil
			}
		}
	}
	return nil, nil, errors.Join(refused(err), l.Close())
}

// patience is how long the server may be silent: a second more than it has.
func (c *postgresConnector) patience() time.Duration { return c.spec.Timeout + time.Second }

// dial connects and, where asked for, agrees on TLS as PostgreSQL's protocol
// has it: one message, one byte.
func (c *postgresConnector) dial(ctx context.Context) (*link, error) {
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(c.spec.Host, strconv.Itoa(c.spec.Port)))
	if err != nil {
		return nil, err
	}
	l := &link{Conn: raw, raw: raw, patience: c.patience()}
	if c.tls == nil {
		return l, nil
	}
	var answer [1]byte
	_, err = l.Write([]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f})
	if err == nil {
		_, err = io.ReadFull(l, answer[:])
	}
	if err == nil && answer[0] != 'S' {
		err = errors.New("the server does not offer TLS")
	}
	if err == nil {
		encrypted := tls.Client(raw, c.tls)
		err = encrypted.HandshakeContext(ctx)
		l.Conn = encrypted
	}
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return l, nil
}

// link is a network connection on which no read or write lasts longer than the
// patience.
type link struct {
	net.Conn // with TLS, if there is any
	raw      net.Conn
	patience time.Duration
}

// Read implements net.Conn.
func (l *link) Read(p []byte) (int, error) {
	if err := l.raw.SetReadDeadline(time.Now().Add(l.patience)); err != nil {
		return 0, err
	}
	return l.Conn.Read(p)
}

// Write implements net.Conn.
func (l *link) Write(p []byte) (int, error) {
	if err := l.raw.SetWriteDeadline(time.Now().Add(l.patience)); err != nil {
		return 0, err
	}
	return l.Conn.Write(p)
}

// Close implements net.Conn, without a farewell in TLS that could wait.
func (l *link) Close() error { return l.raw.Close() }

// await returns when something has arrived, or at the deadline, and leaves it
// to be read.
func (l *link) await(deadline time.Time) error {
	tcp, ok := l.raw.(*net.TCPConn)
	if !ok {
		return errors.New("the link is not TCP")
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	if err := l.raw.SetReadDeadline(deadline); err != nil {
		return err
	}
	return raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return !errors.Is(err, syscall.EAGAIN)
	})
}

// onceDialer gives the driver the link that is there, and new links for its
// requests to cancel.
type onceDialer struct {
	connector *postgresConnector
	link      *link
}

// Dial is never called: the driver prefers DialContext.
func (d *onceDialer) Dial(_, _ string) (net.Conn, error) {
	return nil, errors.New("a dial needs a context")
}

// DialTimeout is never called either.
func (d *onceDialer) DialTimeout(_, _ string, _ time.Duration) (net.Conn, error) {
	return nil, errors.New("a dial needs a context")
}

// DialContext implements pq.DialerContext.
func (d *onceDialer) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	if l := d.link; l != nil {
		d.link = nil
		return l, nil
	}
	return d.connector.dial(ctx)
}
