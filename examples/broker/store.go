package main

import (
	"fmt"
	"time"
)

// sale is one order.
type sale struct {
	id, channel, product string
	quantity             int
	placed               time.Time
}

// store stands for a database or an API: it holds the sales of one client on
// one channel.
type store struct{ sales []sale }

// read returns the sales, each with its channel.
func (s store) read(channel string) []sale {
	out := make([]sale, len(s.sales))
	for i, sale := range s.sales {
		sale.channel = channel
		out[i] = sale
	}
	return out
}

// newBroker has two clients with stores of their own, whose order numbers
// overlap: nothing but the client keeps them apart.
func newBroker() *broker {
	opened := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	fill := func(n int, every time.Duration, products ...string) store {
		var s store
		for i := range n {
			s.sales = append(s.sales, sale{
				id: fmt.Sprintf("%04d", 1000+i), product: products[i%len(products)], quantity: 1 + i%4, placed: opened.Add(time.Duration(i) * every),
			})
		}
		return s
	}
	return &broker{clients: map[string]client{
		"north": {counter: fill(60, 90*time.Minute, "Burrito", "Taco", "Horchata"), web: fill(25, 5*time.Hour, "Burrito", "Nachos")},
		"south": {counter: fill(40, 2*time.Hour, "Quesadilla", "Taco"), web: fill(50, 3*time.Hour, "Taco", "Churros", "Burrito")},
	}}
}
