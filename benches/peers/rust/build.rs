//! The harness is C: each binary is the harness and one peer.

fn main() {
    let files = [
        "calls.c",
        "main.c",
        "ping_pong.c",
        "processes.c",
        "stream.c",
    ]
    .map(|name| format!("../harness/{name}"));
    cc::Build::new()
        .files(&files)
        .opt_level(2)
        .compile("harness");
    println!("cargo:rerun-if-changed=../harness");
}
