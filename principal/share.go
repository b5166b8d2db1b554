package principal

import "time"

// Share is how much of what tenants have in common is one's.
type Share struct {
	Weight int // how often it has its turn, beside one that weighs 1; 0: nothing is said of it
	Limits Budget
}

// MostWeight bounds how much more often than others a tenant has its turn: whoever weighs 1
// beside it is not to wait for thousands.
const MostWeight = 100

// Budget is how much there is for a minute; 0: nothing is said of it.
type Budget struct {
	Requests     int64
	DatabaseTime time.Duration // at work for it, of databases and APIs
	Rows, Bytes  int64
}

// Allowance is what a token has for a minute, together with all that are narrowed from it.
type Allowance struct {
	Token  string // its id; empty: the token itself
	Limits Budget
}

// Narrowest are the limits that hold, whichever allowance says them.
func Narrowest(all []Allowance) Budget {
	var b Budget
	for _, a := range all {
		b = b.Within(a.Limits)
	}
	return b
}

// Over are the limits of b, and those of base where b says nothing.
func (b Budget) Over(base Budget) Budget {
	either := func(own, other int64) int64 {
		if own == 0 {
			return other
		}
		return own
	}
	return Budget{
		Requests: either(b.Requests, base.Requests), DatabaseTime: time.Duration(either(int64(b.DatabaseTime), int64(base.DatabaseTime))),
		Rows: either(b.Rows, base.Rows), Bytes: either(b.Bytes, base.Bytes),
	}
}

// Within are the narrower ones of both.
func (b Budget) Within(other Budget) Budget {
	narrower := func(x, y int64) int64 {
		if x == 0 || y != 0 && y < x {
			return y
		}
		return x
	}
	return Budget{
		Requests: narrower(b.Requests, other.Requests), DatabaseTime: time.Duration(narrower(int64(b.DatabaseTime), int64(other.DatabaseTime))),
		Rows: narrower(b.Rows, other.Rows), Bytes: narrower(b.Bytes, other.Bytes),
	}
}
