// Package resolvers owns the answers to root fields: the control plane's, one
// method for each field, in the layout gqlgen generates, and those of
// datasets, by the way every one of them goes.
package resolvers

import "usher/tenancy"

// Resolver is what the control plane's fields have in common.
type Resolver struct {
	Data    *Datasets      // answers tables
	Control *tenancy.Store // answers administration; nil: there is none, and no schema shows it
	House   House          // what there is to be told of the gateway itself
}
