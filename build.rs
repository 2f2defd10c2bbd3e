//! The name and the loading of the dynamic library. Writes nothing.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The number is POLYPROC_ABI_VERSION: a program loads the library of the interface that it was
    // linked with.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libpolyproc.so.0");
    // Each process that uses an object runs a keeper thread, whose code must not be unmapped.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
