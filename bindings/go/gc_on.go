//go:build polyproc_gc

package polyproc

import "runtime"

// collectGarbage runs, before each call, every cleanup that could run during it. The tests are
// built with this tag to find handles that are freed while a call still needs them.
func collectGarbage() { runtime.GC() }
