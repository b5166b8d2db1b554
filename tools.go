//go:build tools

// Package main lists the generators the build runs, so that generator and
// runtime stay one version.
package main

import _ "github.com/99designs/gqlgen"
