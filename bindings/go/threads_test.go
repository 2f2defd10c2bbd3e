package polyproc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// threads returns how many operating-system threads this process has.
func threads(t testing.TB) int {
	t.Helper()
	for line := range strings.Lines(string(one(os.ReadFile("/proc/self/status"))(t))) {
		if count, ok := strings.CutPrefix(line, "Threads:"); ok {
			return one(strconv.Atoi(strings.TrimSpace(count)))(t)
		}
	}
	t.Fatal("no Threads in /proc/self/status")
	return 0
}

// futexWaitv is the number of the system call, the same on all architectures. Go itself never makes
// it.
const futexWaitv = 449

// sleepers returns how many threads of this process sleep at a word of the library's shared memory,
// or in futex_waitv, which only the library calls.
func sleepers(t testing.TB) (count int) {
	t.Helper()
	shared := sharedMemory(t)
	calls, _ := filepath.Glob("/proc/self/task/*/syscall")
	for _, path := range calls {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		var number int64
		var address uint64
		if n, _ := fmt.Sscanf(string(text), "%d 0x%x", &number, &address); n < 2 {
			continue // it runs
		}
		if number == futexWaitv || number == syscall.SYS_FUTEX && shared(address) {
			count++
		}
	}
	return count
}

// sharedMemory returns a function that reports whether an address is in a shared mapping.
func sharedMemory(t testing.TB) func(address uint64) bool {
	t.Helper()
	type area struct{ begin, end uint64 }
	var areas []area
	for line := range strings.Lines(string(one(os.ReadFile("/proc/self/maps"))(t))) {
		var a area
		var permissions string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &a.begin, &a.end, &permissions); n == 3 && strings.HasSuffix(permissions, "s") {
			areas = append(areas, a)
		}
	}
	return func(address uint64) bool {
		for _, a := range areas {
			if a.begin <= address && address < a.end {
				return true
			}
		}
		return false
	}
}
