//go:build !linux

package cli

// hugePages does nothing here: other systems give large pages as they see fit.
func hugePages([]byte) {}
