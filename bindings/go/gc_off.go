//go:build !polyproc_gc

package polyproc

// collectGarbage does nothing. Built with the tag polyproc_gc, every call on an object collects first.
func collectGarbage() {}
