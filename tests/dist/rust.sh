# What only Rust users see, and the tools that look at the crate: these cases run beside the checkout. Sourced.
# shellcheck shell=bash

# build/dist/other/libother.a: the static library of another Rust crate, of another compiler where there is one.
other_library() {
    local compiler=(rustc)
    rustup run nightly rustc --version > /dev/null 2>&1 && compiler=(rustup run nightly rustc)
    mkdir -p "$work/other"
    "${compiler[@]}" --edition 2021 --crate-type staticlib -O tests/install/other.rs -o "$work/other/libother.a"
}

crate_lint() {
    cargo publish --dry-run --locked --allow-dirty --package polyproc --target-dir "$work/target"
}

# What a compiler says on another system or processor: one sentence, and nothing after it.
one_error() { # target
    rustup target add "$1"
    ! cargo check --locked --package polyproc --target "$1" --target-dir "$work/target" 2> "$work/one-error.log"
    cat "$work/one-error.log"
    [ "$(grep -c '^error' "$work/one-error.log")" = 2 ]
    grep -q '^error: polyproc needs Linux on a 64-bit' "$work/one-error.log"
    grep -q '^error: could not compile `polyproc`.*1 previous error' "$work/one-error.log"
}

# What has changed in the interface for Rust since a revision, and whether the version says so.
crate_semver() { # revision
    cargo_tool cargo-semver-checks 0.51.0
    cargo semver-checks --package polyproc --baseline-rev "$1"
}
