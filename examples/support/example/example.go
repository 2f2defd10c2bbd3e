// Package example is what the Go examples share, so that each shows only its own subject: how long
// a second is, starting and joining children, and ending the program when a call fails that should
// not.
//
// A child is the same program, started again with a role and, where there are several of it, a
// number:
//
//	program milliseconds role [number]
package example

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"polyproc.dev/polyproc"
)

// second is the time that stands for a second; the first argument has it in milliseconds.
var second = time.Second

func init() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		return
	}
	ms, err := strconv.Atoi(os.Args[1])
	if err != nil || ms < 1 || ms > 1_000_000 {
		fmt.Fprintf(os.Stderr, "usage: %s [milliseconds that stand for a second]\n", os.Args[0])
		os.Exit(2)
	}
	second = time.Duration(ms) * time.Millisecond
}

// Seconds returns how long n seconds take.
func Seconds(n float64) time.Duration { return time.Duration(n * float64(second)) }

// Nap sleeps for n seconds.
func Nap(n float64) { time.Sleep(Seconds(n)) }

// Check ends the process on an error.
func Check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Must returns the value of a call that succeeds; on an error it ends the process.
func Must[T any](value T, err error) T {
	Check(err)
	return value
}

// Role is the role of this process: empty in the program that the user has started.
func Role() string {
	if len(os.Args) < 3 {
		return ""
	}
	return os.Args[2]
}

// Number returns the number with which a child was started.
func Number() int { return Must(strconv.Atoi(os.Args[3])) }

// Handles are the objects that a child inherits, under the names by which it asks for them.
type Handles = map[string]polyproc.Handle

// Options returns the options of a child in a role.
func Options(handles Handles, role string, number ...int) polyproc.ProcessOptions {
	args := []string{os.Args[0], fmt.Sprint(second.Milliseconds()), role}
	for _, n := range number {
		args = append(args, strconv.Itoa(n))
	}
	return polyproc.ProcessOptions{Args: args, Handles: handles}
}

// Start starts a child in a role.
func Start(handles Handles, role string, number ...int) *polyproc.Process {
	return Must(polyproc.Spawn(Options(handles, role, number...)))
}

// StartDaemon starts a child that ends with its parent.
func StartDaemon(handles Handles, role string, number ...int) *polyproc.Process {
	options := Options(handles, role, number...)
	options.Daemon = true
	return Must(polyproc.Spawn(options))
}

// Finish waits for the end of a child and returns its exit code.
func Finish(child *polyproc.Process) int {
	defer child.Close()
	Check(child.Join(context.Background()))
	return Must(child.ExitCode())
}

// FinishAll waits for the end of children, all of which must exit with 0.
func FinishAll(children ...*polyproc.Process) {
	for _, child := range children {
		if code := Finish(child); code != 0 {
			log.Fatalf("%s exited with %d", child.Name(), code)
		}
	}
}
