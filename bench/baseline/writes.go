package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// writes are the workloads that write. Each notes who wrote what, in the same transaction, reads
// what it wrote, and commits it if that is the tenant's. A row is written by one statement; many travel
// as JSON; lines of JSON of an import are copied to a table of their own first, those of CSV to where they belong. What is called plain is
// one statement that checks nothing.
type writes struct {
	db                       *sql.DB
	one, many, update, plain *sql.Stmt
}

// entry is a row that a client sends.
type entry struct {
	Reference string      `json:"reference"`
	Customer  string      `json:"customer"`
	Amount    json.Number `json:"amount"`
	Quantity  int         `json:"quantity"`
}

const note = "WITH noted AS (INSERT INTO written (tenant, subject, kind, dataset, count) VALUES ($1, $2, "

func prepareWrites(db *sql.DB) (*writes, error) {
	w := &writes{db: db}
	var errs []error
	for _, one := range []struct {
		statement **sql.Stmt
		sql       string
	}{
		{&w.one, note + `'insert', 'entries', 1))
			INSERT INTO entries (tenant_id, reference, customer, amount, quantity) VALUES ($1, $3, $4, $5, $6) RETURNING reference, amount, tenant_id = $1`},
		{&w.plain, note + `'insert', 'entries', 1))
			INSERT INTO entries (tenant_id, reference, customer, amount, quantity) VALUES ($1, $3, $4, $5, $6) RETURNING reference, amount`},
		{&w.many, note + `'insert', 'entries', json_array_length($3::json))), made AS (
			INSERT INTO entries (tenant_id, reference, customer, amount, quantity)
			SELECT $1, reference, customer, amount, quantity FROM json_to_recordset($3::json)
				AS r (reference text, customer text, amount numeric(12,2), quantity int) RETURNING tenant_id)
			SELECT count(*), bool_and(tenant_id = $1) FROM made`},
		{&w.update, note + `'update', 'entries', 1))
			UPDATE entries SET quantity = 7 WHERE tenant_id = $1 AND id = $3 RETURNING id, quantity, tenant_id = $1`},
	} {
		var err error
		*one.statement, err = db.PrepareContext(context.Background(), one.sql) //nolint:sqlclosecheck // for as long as the server lives
		errs = append(errs, err)
	}
	return w, errors.Join(errs...)
}

// answer writes what a workload asks for.
func (w *writes) answer(ctx context.Context, out []byte, operation string, q asked) ([]byte, error) {
	tenant, subject := q.claims.Tenant, q.claims.Subject
	switch operation {
	case "Insert":
		var e entry
		if err := json.Unmarshal([]byte(q.variable()), &e); err != nil {
			return out, err
		}
		var reference, amount string
		err := w.checked(ctx, w.one, []any{tenant, subject, e.Reference, e.Customer, string(e.Amount), e.Quantity}, &reference, &amount)
		return inserted(out, reference, amount), err
	case "Insert_plain":
		var e entry
		if err := json.Unmarshal([]byte(q.variable()), &e); err != nil {
			return out, err
		}
		var reference, amount string
		err := w.plain.QueryRowContext(ctx, tenant, subject, e.Reference, e.Customer, string(e.Amount), e.Quantity).Scan(&reference, &amount)
		return inserted(out, reference, amount), err
	case "Insert_1000":
		var n int64
		err := w.checked(ctx, w.many, []any{tenant, subject, q.variable()}, &n)
		out = strconv.AppendInt(append(out, `{"data":{"insertEntries":{"affected":`...), n, 10)
		return append(out, `}}}`...), err
	case "Update":
		var id string
		var quantity int64
		err := w.checked(ctx, w.update, []any{tenant, subject, q.variable()}, &id, &quantity)
		out = append(quote(append(out, `{"data":{"updateEntriesByPk":{"id":`...), id), `,"quantity":`...)
		return append(strconv.AppendInt(out, quantity, 10), `}}}`...), err
	}
	return out, errUnknown
}

// inserted is the answer of the insert of one row.
func inserted(out []byte, reference, amount string) []byte {
	out = append(quote(append(out, `{"data":{"insertEntriesOne":{"reference":`...), reference), `,"amount":`...)
	return append(append(out, amount...), `}}}`...)
}

// checked runs a statement in a transaction of its own, which holds if the last column of its row
// says that what was written is right.
func (w *writes) checked(ctx context.Context, statement *sql.Stmt, args []any, into ...any) (err error) {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	right := false
	inside := tx.StmtContext(ctx, statement)
	defer func() { _ = inside.Close() }() // the one it is made of stays
	if err := inside.QueryRowContext(ctx, args...).Scan(append(into, &right)...); err != nil {
		return err
	}
	if !right {
		return errAnothers
	}
	return tx.Commit()
}

var errAnothers = errors.New("what was written is another tenant's")

var errUnknown = errors.New("there is no such workload")

// importPath takes lines of JSON, or CSV.
const importPath = "/import/entries"

// line is the next row of a file, as the values of COPY; io.EOF: there is none.
type line func() ([]any, error)

func linesOfJSON(body io.Reader) line {
	lines := bufio.NewReader(body)
	return func() ([]any, error) {
		text, err := lines.ReadBytes('\n')
		if len(text) == 0 {
			return nil, err
		}
		var e entry
		err = json.Unmarshal(text, &e)
		return []any{e.Reference, e.Customer, string(e.Amount), e.Quantity}, err
	}
}

// linesOfCSV takes a file whose head it knows, and leaves its texts to PostgreSQL.
func linesOfCSV(body io.Reader) line {
	records := csv.NewReader(body)
	records.ReuseRecord = true
	head := true
	return func() ([]any, error) {
		if head {
			head = false
			if _, err := records.Read(); err != nil {
				return nil, err
			}
		}
		record, err := records.Read()
		if err != nil {
			return nil, err
		}
		values := make([]any, len(record))
		for i, text := range record {
			values[i] = text
		}
		return values, nil
	}
}

// copyIn copies rows to where a statement says, each behind what stands before all of them.
func copyIn(ctx context.Context, tx *sql.Tx, statement string, next line, before ...any) (int64, error) {
	rows, err := tx.PrepareContext(ctx, statement)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for {
		values, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			_, err = rows.ExecContext(ctx, append(before[:len(before):len(before)], values...)...)
		}
		if err != nil {
			return 0, err
		}
	}
	done, err := rows.ExecContext(ctx)
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return n, errors.Join(err, rows.Close())
}

// load imports a file, all or nothing. CSV goes to its table at once.
func (w *writes) load(ctx context.Context, body io.Reader, isCSV bool, q asked) (err error) {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	var n int64
	if isCSV {
		n, err = copyIn(ctx, tx, "COPY entries (tenant_id, reference, customer, amount, quantity) FROM STDIN", linesOfCSV(body), q.claims.Tenant)
	} else {
		n, err = w.loadJSON(ctx, tx, body, q)
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO written (tenant, subject, kind, dataset, count) VALUES ($1, $2, 'import', 'entries', $3)",
		q.claims.Tenant, q.claims.Subject, n); err != nil {
		return err
	}
	return tx.Commit()
}

func (w *writes) loadJSON(ctx context.Context, tx *sql.Tx, body io.Reader, q asked) (int64, error) {
	const columns = "(reference text, customer text, amount numeric(12,2), quantity int)"
	if _, err := tx.ExecContext(ctx, "CREATE TEMPORARY TABLE arrived "+columns+" ON COMMIT DROP"); err != nil {
		return 0, err
	}
	n, err := copyIn(ctx, tx, "COPY arrived (reference, customer, amount, quantity) FROM STDIN", linesOfJSON(body))
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO entries (tenant_id, reference, customer, amount, quantity) SELECT $1, * FROM arrived", q.claims.Tenant)
	return n, err
}

func (a *api) write(ctx context.Context, out []byte, operation string, q asked) ([]byte, error) {
	writes, err := a.writes()
	if err != nil {
		return out, err
	}
	return writes.answer(ctx, out, operation, q)
}

// serveImport answers an import.
func (a *api) serveImport(w http.ResponseWriter, r *http.Request, q asked) error {
	writes, err := a.writes()
	if err == nil {
		err = writes.load(r.Context(), r.Body, r.Header.Get("Content-Type") == "text/csv", q)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Length", "2")
	_, _ = w.Write([]byte("{}"))
	return nil
}
