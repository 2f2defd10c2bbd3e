package capi

/*
#include "shim.h"
*/
import "C"

import "fmt"

// A library with another binary interface would get wrong arguments. The loader recognizes such a
// library by its soname, unless the program has loaded it in another way.
func init() {
	if got := uint32(C.polyproc_abi_version()); got != C.POLYPROC_ABI_VERSION {
		panic(fmt.Sprintf("polyproc: this package is made for libpolyproc.so.%d, and the program has loaded libpolyproc.so.%d (version %s)",
			C.POLYPROC_ABI_VERSION, got, Version()))
	}
}
