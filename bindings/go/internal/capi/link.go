//go:build !polyproc_dynamic

package capi

// The library that this repository has built. In the module that `make dist` makes, link_<platform>.go stand for this
// file, with a library for each.

/*
#cgo CFLAGS: -I${SRCDIR}/../../../../include
#cgo LDFLAGS: ${SRCDIR}/../../../../target/release/libpolyproc.a -lpthread -ldl -lm
*/
import "C"
