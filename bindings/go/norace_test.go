//go:build !race

package polyproc_test

const raceEnabled = false
