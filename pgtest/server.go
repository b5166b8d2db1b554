package pgtest

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/lib/pq"
)

// adminTimeout bounds what this package itself asks of the server: making and
// dropping databases.
const adminTimeout = 30 * time.Second

// Server is a running PostgreSQL server.
type Server struct {
	Host     string
	Port     int
	User     string // a superuser
	Password string

	admin   *sql.DB
	sslmode string
	cluster *cluster // nil if the server is not ours
	own     bool     // one test's: its databases end with it
}

// existing uses the server of a URL as it is.
func existing(text string) (*Server, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("USHER_TEST_POSTGRES is not a URL such as postgres://user:password@127.0.0.1:5432/postgres")
	}
	port, err := strconv.Atoi(cmp.Or(u.Port(), "5432"))
	if err != nil {
		return nil, fmt.Errorf("USHER_TEST_POSTGRES: port %q is not a number", u.Port())
	}
	password, _ := u.User.Password()
	s := &Server{
		Host: u.Hostname(), Port: port, User: u.User.Username(), Password: password,
		sslmode: cmp.Or(u.Query().Get("sslmode"), "disable"),
	}
	if err := s.connect(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	if err := s.admin.PingContext(ctx); err != nil {
		return nil, fmt.Errorf("the server of USHER_TEST_POSTGRES does not answer: %w", err)
	}
	return s, nil
}

// connect prepares the connection that makes and drops databases.
func (s *Server) connect() error {
	connector, err := pq.NewConnector(s.url("postgres"))
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	s.admin = sql.OpenDB(connector)
	// Few connections: the others are for the tests.
	s.admin.SetMaxOpenConns(4)
	return nil
}

func (s *Server) url(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(s.User, s.Password),
		Host:     s.Host + ":" + strconv.Itoa(s.Port),
		Path:     "/" + database,
		RawQuery: url.Values{"sslmode": {s.sslmode}}.Encode(),
	}
	return u.String()
}

func (s *Server) stop() {
	_ = s.admin.Close()
	if s.cluster != nil {
		s.cluster.stop()
	}
}
