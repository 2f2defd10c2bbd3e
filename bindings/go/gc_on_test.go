//go:build polyproc_gc

package polyproc_test

// fewer scales rounds down for a build in which each call collects garbage.
func fewer(rounds int) int { return rounds / 20 }
