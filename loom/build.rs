//! Sets the cfg by which src/ leaves out what holds only for its own atomics: sizes, and numbers of
//! places.

fn main() {
    println!("cargo::rustc-cfg=loom");
    println!("cargo::rustc-check-cfg=cfg(loom)");
}
