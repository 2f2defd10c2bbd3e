#!/bin/sh
# The requirements for a release library: it exports exactly the golden list, has its soname, is
# never unloaded, is small, and needs nothing but libc, memmap2 and the hashes of the wire protocol.
#
#   tools/check-library.sh target/release/libpolyproc.so
#
# CROSS is the prefix of the binutils where they are not this machine's, as in aarch64-linux-gnu-.
set -eu

library=$(realpath "${1:?usage: tools/check-library.sh <libpolyproc.so>}")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

nm -D --defined-only "$library" | awk '{ print $NF }' | LC_ALL=C sort > "$work/symbols.txt"
diff -u tests/c/symbols.txt "$work/symbols.txt"

readelf -d "$library" > "$work/dynamic.txt"
grep -q 'soname: \[libpolyproc.so.0\]' "$work/dynamic.txt"
grep -q 'NODELETE' "$work/dynamic.txt"

"${CROSS:-}strip" -o "$work/stripped.so" "$library"
size=$(wc -c < "$work/stripped.so")
if [ "$size" -ge 1310720 ]; then
    echo "the stripped library has $size bytes, not under 1.25 MiB" >&2
    exit 1
fi

cargo tree --edges normal --package polyproc --prefix none --format '{p}' |
    awk '{ print $1 }' | LC_ALL=C sort -u > "$work/crates.txt"
# hmac, md-5, sha2 and sha3 are the wire protocol's hashes; indented lines are their dependencies.
tr -d ' ' << 'CRATES' | LC_ALL=C sort | diff -u - "$work/crates.txt"
hmac
md-5
sha2
sha3
    block-buffer
    cfg-if
    cmov
    cpufeatures
    crypto-common
    ctutils
    digest
    hybrid-array
    keccak
    sponge-cursor
    typenum
libc
memmap2
polyproc
CRATES

echo "$(wc -l < tests/c/symbols.txt) symbols, $size bytes stripped, soname libpolyproc.so.0"
