# Runs the cases of tests/dist/run, JOBS of them at a time. Sourced.
# shellcheck shell=bash

JOBS=${JOBS:-$(nproc)}
logs=$work/test-dist
rm -rf "$logs"
mkdir -p "$logs"
started=() skipped=()
chosen=("$@")

# Whether one of these cases is to run. Without a choice all are.
wanted() {
    local name
    [ ${#chosen[@]} = 0 ] && return
    for name; do
        [[ " ${chosen[*]} " == *" $name "* ]] && return
    done
    return 1
}

# One case: its name, and the command that is it. It runs beside others. Its output is in build/dist/test-dist, and shown
# when it fails.
case_of() {
    wanted "$1" || return 0
    while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do wait -n || true; done
    started+=("$1")
    run_case "$@" &
}

run_case() { # name, command
    local name=$1 log=$logs/$1.log result
    shift
    # Not as a condition: there the shell would go on after a command that fails.
    set +e
    (set -e; "$@") > "$log" 2>&1 < /dev/null
    result=$?
    set -e
    if [ $result = 0 ]; then
        touch "$logs/$name.passed"
        echo "ok       $name"
    else
        # In one piece, since others print meanwhile.
        printf '%s\n' "FAILED   $name$(printf '\n' && sed 's/^/    /' "$log")"
    fi
}

skip() { skipped+=("$1: $2"); echo "skipped  $1: $2"; }

end_of_cases() {
    local name passed=() failed=()
    wait
    for name in "${started[@]}"; do
        if [ -e "$logs/$name.passed" ]; then passed+=("$name"); else failed+=("$name"); fi
    done
    printf '\nran:\n'
    printf '  %s\n' "${passed[@]}"
    [ ${#failed[@]} = 0 ] || { printf 'failed:\n'; printf '  %s\n' "${failed[@]}"; }
    [ ${#skipped[@]} = 0 ] || { printf 'could not run:\n'; printf '  %s\n' "${skipped[@]}"; }
    echo "dist: ${#passed[@]} passed, ${#failed[@]} failed, ${#skipped[@]} skipped"
    [ ${#failed[@]} = 0 ]
}
