//! What the dynamic library is called and how it is loaded. Writes nothing.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The number is POLYPROC_ABI_VERSION: programs linked against one interface load that one.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libpolyproc.so.0");
    // Each process that uses an object runs a keeper thread, whose code must not be unmapped.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
