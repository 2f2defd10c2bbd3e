//go:build polyproc_gc

package polyproc_test

// fewer makes a number of rounds fit for a build in which each call collects garbage.
func fewer(rounds int) int { return rounds / 20 }
