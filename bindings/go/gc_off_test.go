//go:build !polyproc_gc

package polyproc_test

func fewer(rounds int) int { return rounds }
