// Package model holds what the database's rows are scanned into and GraphQL
// answers from.
package model

import (
	"fmt"
	"io"
	"time"
)

// Decimal is a number with the digits of the database.
type Decimal string

// MarshalGQL implements graphql.Marshaler.
func (d Decimal) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, string(d)) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (d *Decimal) UnmarshalGQL(v any) error {
	*d = Decimal(fmt.Sprint(v))
	return nil
}

// Order is a row of orders.
type Order struct {
	ID        int64     `db:"id"`
	Reference string    `db:"reference"`
	Customer  string    `db:"customer"`
	Region    *string   `db:"region"`
	Status    string    `db:"status"`
	Amount    Decimal   `db:"amount"`
	Quantity  int       `db:"quantity"`
	ProductID int       `db:"product_id"`
	OrderedAt time.Time `db:"ordered_at"`
}

// Product is a row of products.
type Product struct {
	ID       int     `db:"id"`
	Name     string  `db:"name"`
	Category string  `db:"category"`
	Price    Decimal `db:"price"`
}

// Item is a row of items.
type Item struct {
	ID       int64   `db:"id"`
	OrderID  int64   `db:"order_id"`
	Sku      string  `db:"sku"`
	Quantity int     `db:"quantity"`
	Price    Decimal `db:"price"`
}

// Group is a row of an aggregate; what a statement does not select stays empty.
type Group struct {
	Key      Key       `db:"key"`
	Count    int64     `db:"count"`
	Amount   Amounts   `db:"amount"`
	Customer Customers `db:"customer"`
}

// Key is what a group has in common.
type Key struct {
	OrderedAt *time.Time `db:"ordered_at"`
	Region    *string    `db:"region"`
	Status    *string    `db:"status"`
	Customer  *string    `db:"customer"`
	Quantity  *int       `db:"quantity"`
	Product   ProductKey `db:"product"`
}

// ProductKey is what a group's products have in common.
type ProductKey struct {
	Category *string `db:"category"`
}

// Amounts are aggregates of amounts.
type Amounts struct {
	Sum *Decimal `db:"sum"`
	Max *Decimal `db:"max"`
}

// Customers are aggregates of customers.
type Customers struct {
	CountDistinct int64 `db:"count_distinct"`
}
