//go:build polyproc_gc

package polyproc

import "runtime"

// collectGarbage makes a cleanup that could run during a call run before it: the tests are built with
// this tag to find handles that were freed while they were still needed.
func collectGarbage() { runtime.GC() }
