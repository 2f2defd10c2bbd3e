//go:build polyproc_dynamic

package capi

// The installed shared library.

/*
#cgo pkg-config: polyproc
*/
import "C"
