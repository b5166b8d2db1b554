// Package resolvers owns the answers to root fields: the control plane's, one
// method for each field, in the layout gqlgen generates.
package resolvers

// Resolver is what the control plane's fields have in common: nothing yet,
// for all they tell is in the context.
type Resolver struct{}
