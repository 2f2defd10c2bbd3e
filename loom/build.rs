//! The cfg by which src/ leaves out what holds only for its own atomics: sizes, and how many places there are.

fn main() {
    println!("cargo::rustc-cfg=loom");
    println!("cargo::rustc-check-cfg=cfg(loom)");
}
