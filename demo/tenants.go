package demo

import "time"

// Tenant is a distributor of the chain.
type Tenant struct {
	ID   string // as in tokens and in the tenant columns
	Name string
}

// distributor is a tenant with what its row says and its share of the orders.
type distributor struct {
	Tenant
	city, region string
	seats        int    // 0: delivers only
	joined       string // date
	share        int    // of 1000 orders
}

// The last one is a tenant with hardly any rows: seven orders in all.
func distributors() []distributor {
	return []distributor{
		{Tenant{"burrito-bros", "Burrito Bros"}, "Austin", "South", 64, "2019-03-01", 300},
		{Tenant{"casa-verde", "Casa Verde"}, "Denver", "West", 48, "2019-08-15", 220},
		{Tenant{"el-camino", "El Camino"}, "Sacramento", "West", 40, "2020-02-29", 160},
		{Tenant{"la-frontera", "La Frontera"}, "El Paso", "South", 36, "2021-01-04", 120},
		{Tenant{"tortilla-flats", "Tortilla Flats"}, "Chicago", "North", 28, "2021-11-20", 90},
		{Tenant{"senor-pepe", "Señor Pepe’s"}, "Boston", "East", 22, "2022-05-05", 60},
		{Tenant{"luna-y-sol", "Luna y Sol"}, "Miami", "East", 18, "2023-04-01", 50},
		{Tenant{"popup-peppers", "Pop-up Peppers"}, "Portland", "North", 0, "2023-12-24", 0},
	}
}

func tenants() []Tenant {
	var out []Tenant
	for _, d := range distributors() {
		out = append(out, d.Tenant)
	}
	return out
}

func (d distributor) joinedOn() (time.Time, error) { return time.Parse(time.DateOnly, d.joined) }
