package main

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"
)

// pagesName is the workload whose answers say where they end.
const pagesName = "Pages"

// pages reads pages of orders, the newest first. A cursor is the time and the id of
// a page's last row, as they are.
type pages struct{ first, next *sql.Stmt }

const (
	pageSize  = 20
	pageStart = "SELECT id, customer, region, amount, ordered_at" + ofOrders
	pageEnd   = newest + "21" // one more, to know whether there is a next page
)

func preparePages(db *sql.DB) (p pages, err error) {
	if p.first, err = db.PrepareContext(context.Background(), pageStart+pageEnd); err != nil {
		return p, err
	}
	p.next, err = db.PrepareContext(context.Background(), pageStart+"AND ordered_at <= $2 AND (ordered_at < $2 OR id > $3) "+pageEnd)
	return p, err
}

var errCursor = errors.New("the cursor is none")

func (p *pages) query(ctx context.Context, q asked) (*sql.Rows, error) {
	after := q.variable()
	if after == "null" {
		return p.first.QueryContext(ctx, q.claims.Tenant)
	}
	at, id, ok := strings.Cut(after, "/")
	if !ok {
		return nil, errCursor
	}
	return p.next.QueryContext(ctx, q.claims.Tenant, at, id)
}

func (p *pages) answer(ctx context.Context, out []byte, q asked) ([]byte, error) {
	rows, err := p.query(ctx, q)
	if err != nil {
		return out, err
	}
	defer func() { _ = rows.Close() }()
	var (
		id               int64
		at               time.Time
		customer, amount sql.RawBytes
		region           sql.NullString
	)
	out = append(out, `{"data":{"orders":{"nodes":[`...)
	var cursor []byte
	n := 0
	for ; n < pageSize && rows.Next(); n++ {
		if err := rows.Scan(&id, &customer, &region, &amount, &at); err != nil {
			return out, err
		}
		if n > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"id":`...)
		out = strconv.AppendInt(out, id, 10)
		out = append(out, `,"customer":`...)
		out = quote(out, string(customer))
		out = append(out, `,"region":`...)
		if region.Valid {
			out = quote(out, region.String)
		} else {
			out = append(out, "null"...)
		}
		out = append(out, `,"amount":`...)
		out = append(out, amount...)
		out = append(out, `,"orderedAt":"`...)
		out = at.UTC().AppendFormat(out, time.RFC3339Nano)
		out = append(out, `"}`...)
		cursor = at.UTC().AppendFormat(cursor[:0], time.RFC3339Nano)
		cursor = strconv.AppendInt(append(cursor, '/'), id, 10)
	}
	more := n == pageSize && rows.Next()
	out = append(out, `],"pageInfo":{"hasNextPage":`...)
	out = strconv.AppendBool(out, more)
	out = append(out, `,"endCursor":`...)
	if n > 0 {
		out = append(append(append(out, '"'), cursor...), '"')
	} else {
		out = append(out, "null"...)
	}
	return append(out, `}}}}`...), rows.Err()
}
