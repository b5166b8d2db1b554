package duckdb

import (
	"context"
	"errors"
	"testing"

	"github.com/duckdb/duckdb-go/v2"

	"usher/datasource/sqlexec"
	"usher/fault"
)

func one(t *testing.T, e *Engine) error {
	t.Helper()
	scratch, err := e.Scratch(t.Context())
	if err != nil {
		return err
	}
	defer scratch.Close()
	return scratch.Session(t.Context(), false, func(s sqlexec.Session) error {
		rows, err := s.Query(t.Context(), "SELECT 1", nil)
		if err != nil {
			return err
		}
		rows.Next()
		return errors.Join(rows.Err(), rows.Close())
	})
}

func TestRenewReplacesWhatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	e := NewEngine(Options{})
	t.Cleanup(func() { _ = e.Close() })
	running, err := e.started()
	if err == nil {
		err = one(t, e)
	}
	if err != nil {
		t.Fatal(err)
	}
	healthy := running.current()
	if err := e.Renew(t.Context()); err != nil || running.current() != healthy {
		t.Fatalf("an engine that answers was replaced: %v", err)
	}
	if err := healthy.Close(); err != nil {
		t.Fatal(err)
	}
	if err := one(t, e); err == nil {
		t.Fatal("a closed engine answers")
	}
	if err := e.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := one(t, e); err != nil {
		t.Errorf("the new engine: %v", err)
	}
}

func TestBrokenEngineIsTold(t *testing.T) {
	t.Parallel()
	for _, kind := range []duckdb.ErrorType{duckdb.ErrorTypeFatal, duckdb.ErrorTypeInternal} {
		err := translate(context.Background(), &duckdb.Error{Type: kind, Msg: "INTERNAL Error: an index out of bounds\nwith more"})
		if !errors.Is(err, ErrBroken) || fault.From(err).Code != fault.Unavailable {
			t.Errorf("%v became %v", kind, err)
		}
	}
	if err := translate(context.Background(), &duckdb.Error{Type: duckdb.ErrorTypeBinder, Msg: "no such column"}); errors.Is(err, ErrBroken) {
		t.Errorf("a statement's own error became %v", err)
	}
}
