//go:build !polyproc_gc

package polyproc

// collectGarbage does nothing. With the build tag polyproc_gc every call on an object first
// collects.
func collectGarbage() {}
