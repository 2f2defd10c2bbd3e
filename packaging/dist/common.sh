# Functions that the scripts of `make dist` share. They source this file, with the name of a platform in $1 where they need one.
# shellcheck shell=bash
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
work=$root/build/dist
dist=${DIST:-$root/dist}
tools=$root/build/tools
# The oldest glibc that the shipped libraries load with.
glibc=2.17
# Every file in an archive is as old as the commit, so that two runs give the same bytes.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C
umask 022
mkdir -p "$work" "$dist"

# The names that a platform has elsewhere.
platform() {
    case $1 in
    linux-x64) rust=x86_64-unknown-linux-gnu zig=x86_64-linux-gnu.$glibc go=linux_amd64 cross= ;;
    linux-arm64) rust=aarch64-unknown-linux-gnu zig=aarch64-linux-gnu.$glibc go=linux_arm64 cross=aarch64-linux-gnu- ;;
    linux-x64-musl) rust=x86_64-unknown-linux-musl zig=x86_64-linux-musl go=linux_amd64_musl cross= ;;
    linux-arm64-musl) rust=aarch64-unknown-linux-musl zig=aarch64-linux-musl go=linux_arm64_musl cross=aarch64-linux-gnu- ;;
    *) echo "packaging: there is no platform $1" >&2; return 1 ;;
    esac
    library=$work/lib/$1
}

# The platform of this machine, for glibc.
here() { uname -m | sed 's/x86_64/linux-x64/; s/aarch64/linux-arm64/'; }

# The platforms that `packaging/dist/library` has built.
platforms() {
    local one
    for one in linux-x64 linux-arm64 linux-x64-musl linux-arm64-musl; do
        [ -e "$work/lib/$one/libpolyproc.a" ] && echo "$one"
    done
}

# Installs Debian packages that are not there.
need() {
    local one missing=()
    for one in "$@"; do
        dpkg -s "$one" > /dev/null 2>&1 || missing+=("$one")
    done
    [ ${#missing[@]} = 0 ] || { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >&2
}

# zig, as cc and as the linker of cargo, and maturin, from PyPI.
python_tools() {
    local requirements=$root/packaging/dist/requirements.txt
    if ! cmp -s "$requirements" "$tools/python/requirements.txt"; then
        rm -rf "$tools/python"
        python3 -m venv "$tools/python"
        "$tools/python/bin/pip" install --quiet --require-hashes -r "$requirements"
        cp "$requirements" "$tools/python/requirements.txt"
    fi
    PATH=$tools/python/bin:$PATH
}

# No folder of this machine in what cargo builds, and none of its other settings.
rust_flags() {
    export RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo --remap-path-prefix=$root=polyproc"
    export CARGO_PROFILE_RELEASE_DEBUG=0
}

# A tool of crates.io, built once: NAME VERSION. Optimising it would take longer than all its runs.
cargo_tool() {
    [ "$(cat "$tools/.$1" 2> /dev/null)" = "$2" ] || {
        CARGO_PROFILE_DEV_DEBUG=0 cargo install "$1" --version "$2" --locked --debug --root "$tools" \
            --config 'profile.dev.package."*".opt-level=0' \
            --target-dir "$root/build/cargo-tools"
        rm -rf "$root/build/cargo-tools"
        echo "$2" > "$tools/.$1"
    } >&2
    PATH=$tools/bin:$PATH
}

# Makes the archive $1 of the folder $2 in the folder $3.
pack() {
    tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw \
        --format=gnu -C "$3" -cf - "$2" | gzip -9n > "$1"
}
