# Empty roots for the tests of the packages: a small Debian, in which there is neither Rust nor this repository. Sourced.
# shellcheck shell=bash

rooms=$root/build/rooms

# A root of a Debian release with some packages, made once: SUITE PACKAGE,...
make_root() {
    local folder=$rooms/$1
    [ "$(cat "$folder/.complete" 2> /dev/null)" = "$*" ] && return
    command -v mmdebstrap > /dev/null || { apt-get update -qq && apt-get install -qq -y --no-install-recommends mmdebstrap; } >&2
    rm -rf "$folder"
    mkdir -p "$rooms"
    mmdebstrap --quiet --variant=minbase --include="$2" "$1" "$folder" > "$rooms/$1.log" 2>&1 || { rm -rf "$folder"; return 1; }
    # in_room makes these; here they would lead a walk through the checkout in circles.
    rm -rf "${folder:?}"/dev/*
    echo "$*" > "$folder/.complete"
}

# Runs the script at standard input in a root, as root in an empty folder. The files that it writes are removed when it ends.
#
#   in_room SUITE [folder of this machine, or folder:place, that is also there]...
#
# DIST is the folder of the packages. The network is as here; so are certificates and the settings of registries.
in_room() {
    local suite=$1 script
    shift
    script=$(cat)
    # Its processes, mounts and /dev/shm are its own, and end with it.
    unshare --mount --pid --fork bash -euc '
        lower=$1 dist=$2 script=$3
        shift 3
        room=$(mktemp -d)
        mount -t tmpfs room "$room"
        mkdir "$room/upper" "$room/work" "$room/root"
        mount -t overlay overlay -o "lowerdir=$lower,upperdir=$room/upper,workdir=$room/work" "$room/root"
        in=$room/root
        bind() { mkdir -p "$in$2" && mount --bind "$1" "$in$2" && mount -o remount,bind,ro "$in$2"; }
        bind "$dist" /dist
        for folder; do bind "${folder%%:*}" "${folder##*:}"; done
        mount -t proc proc "$in/proc"
        mount -t tmpfs dev "$in/dev"
        for node in null zero random urandom tty; do touch "$in/dev/$node" && mount --bind "/dev/$node" "$in/dev/$node"; done
        ln -s /proc/self/fd "$in/dev/fd"
        mkdir "$in/dev/shm" && mount -t tmpfs -o mode=1777 shm "$in/dev/shm"
        cp -L /etc/resolv.conf /etc/hosts "$in/etc/"
        mkdir -p "$in/etc/ssl/certs" "$in/home/user"
        [ ! -e /etc/ssl/certs/ca-certificates.crt ] || cp -L /etc/ssl/certs/ca-certificates.crt "$in/etc/ssl/certs/"
        cp "$HOME/.npmrc" "$in/home/user/" 2> /dev/null || true
        settings=()
        for name in SSL_CERT_FILE NODE_EXTRA_CA_CERTS http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
            [ -z "${!name:-}" ] || settings+=("$name=${!name}")
        done
        ! command -v go > /dev/null || settings+=("GOPROXY=$(go env GOPROXY)")
        ! chroot "$in" sh -c "command -v cargo || command -v rustc" || [ -n "${RUST_IN_ROOM:-}" ]
        exec chroot "$in" env -i HOME=/home/user DIST=/dist LC_ALL=C.UTF-8 "${settings[@]}" \
            PATH="${ROOM_PATH:-}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
            sh -eu -c "mkdir /home/user/letters && cd /home/user/letters && $script"
    ' room "$rooms/$suite" "$dist" "$script" "$@"
}

# The commands that the book gives for a language: the block below the heading `### <language>`, as it stands there.
readme_of() {
    awk -v heading="### $1" '
        $0 == heading { is_in = 1; next }
        is_in && /^```/ { if (in_block) exit; in_block = 1; next }
        is_in && in_block { print }' "$root/docs/book/install.md"
}
