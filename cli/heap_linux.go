package cli

import "syscall"

// hugePages asks for large pages (THP) where the memory is that nothing has been written to yet. Each answer takes memory
// that no processor knows the address of any more, 20 KB of it, and a virtual machine looks up a page of 4 KB in two tables: beside these pages
// a request takes a tenth more of usher's processor time. A system that gives none, or not now, is fine.
func hugePages(memory []byte) { _ = syscall.Madvise(memory, syscall.MADV_HUGEPAGE) }
