# What only Rust users see, and the tools that look at the crate: these cases run beside the checkout. Sourced.
# shellcheck shell=bash

# build/dist/other/libother.a: the static library of another Rust crate, of another compiler where there is one.
other_library() {
    local compiler=(rustc)
    rustup run nightly rustc --version > /dev/null 2>&1 && compiler=(rustup run nightly rustc)
    mkdir -p "$work/other"
    # Two cases use it, and may run at the same time.
    "${compiler[@]}" --edition 2021 --crate-type staticlib -O tests/install/other.rs -o "$work/other/$BASHPID.a"
    mv "$work/other/$BASHPID.a" "$work/other/libother.a"
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

# What `cargo cinstall` installs, beside the packed tree of `make install`, which also has a CMake package and manual
# pages. cargo-c is in Debian 13.
cinstall() {
    RUST_IN_ROOM=1 ROOM_PATH=/opt/rust/bin: in_room trixie "$(rustc --print sysroot):/opt/rust" "$root/tests/install:/case" \
        "$root:/checkout" << 'SH'
apt-get update -qq
apt-get install -qq -y --no-install-recommends cargo-c binutils gcc libc6-dev pkg-config > /dev/null
# Not optimised: only the files are looked at.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=0
(cd /checkout && cargo cinstall --locked --target-dir /home/user/target --destdir /home/user/letters \
    --prefix /cinstall --libdir /cinstall/lib)
tar -xzf "$DIST"/polyproc-*-linux-x64.tar.gz && mv polyproc-*-linux-x64 make
files() { (cd $1 && find . ! -type d ! -path './share/*' ! -path './lib/cmake/*' | sort); }
files make > make.files
files cinstall > cinstall.files
diff make.files cinstall.files
cat cinstall.files

names() { nm -D --defined-only $1/lib/libpolyproc.so | cut -d' ' -f3 | sort; }
names make > make.names
names cinstall > cinstall.names
diff make.names cinstall.names
for tree in make cinstall; do
    objdump -p $tree/lib/libpolyproc.so | grep -q 'SONAME *libpolyproc.so.0$'
    readelf -d $tree/lib/libpolyproc.so | grep -q NODELETE
    export PKG_CONFIG_PATH=$PWD/$tree/lib/pkgconfig
    cc /case/program.c $(pkg-config --define-prefix --cflags --libs polyproc) -Wl,-rpath,$PWD/$tree/lib -o $tree-shared
    ./$tree-shared
    # cargo's list of libraries has gcc_s, which no wholly static program can have.
    cc /case/program.c $(pkg-config --define-prefix --cflags polyproc) $tree/lib/libpolyproc.a \
        $(pkg-config --define-prefix --static --libs-only-l polyproc | sed 's/-lpolyproc//') -o $tree-static
    ./$tree-static
done
SH
}
