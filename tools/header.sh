#!/bin/sh
# Makes the C header from src/ffi.
#
#   tools/header.sh write    write include/polyproc.h
#   tools/header.sh check    fail if include/polyproc.h is stale, and print the command that renews it
set -eu

CBINDGEN_VERSION=0.29.2

cd "$(dirname "$0")/.."
header=include/polyproc.h
work=build/header
tools=build/tools
mkdir -p "$work"

if [ "$("$tools/bin/cbindgen" --version 2>/dev/null)" != "cbindgen $CBINDGEN_VERSION" ]; then
    cargo install cbindgen --version "$CBINDGEN_VERSION" --locked --force \
        --root "$tools" --target-dir build/cbindgen >&2
fi

# cbindgen exports every `pub const` of a crate, so it sees src/ffi as a crate of its own.
cat > "$work/Cargo.toml" <<'MANIFEST'
[package]
name = "polyproc"
version = "0.0.0"
edition = "2021"

[lib]
path = "../../src/ffi/mod.rs"

[workspace]
MANIFEST

"$tools/bin/cbindgen" --quiet --config cbindgen.toml --output "$work/cbindgen.h" "$work" >&2
sed -E -f tools/header.sed "$work/cbindgen.h" > "$work/polyproc.h"

case "${1:-}" in
write)
    mkdir -p include
    cp "$work/polyproc.h" "$header"
    ;;
check)
    diff -u "$header" "$work/polyproc.h" >&2 || {
        echo "$header is stale. Mend it with: make header" >&2
        exit 1
    }
    ;;
*)
    echo "usage: tools/header.sh write|check" >&2
    exit 2
    ;;
esac
