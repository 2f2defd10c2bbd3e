#!/bin/sh
# How many instructions a hot call takes, alone with its object, counted by callgrind: repeatable where times are not.
#
#   benches/guard/guard.sh check  PROGRAM    fail when a call takes 5 % more than committed
#   benches/guard/guard.sh update PROGRAM    write the committed figures anew
#
# Both fail when a call makes a system call or allocates.
set -eu

mode=${1:?usage: guard.sh check|update PROGRAM}
program=$(realpath "${2:?usage: guard.sh check|update PROGRAM}")
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for name in $("$program"); do
    rounds=$(valgrind -q --tool=callgrind --callgrind-out-file="$work/$name" --collect-systime=usec \
        --zero-before=measured --dump-after=measured "$program" "$name")
    # The instructions, the system calls, whether it allocates.
    set -- $(awk -f profile.awk "$work/$name.1")
    awk -v name="$name" -v all="$1" -v rounds="$rounds" 'BEGIN { printf "%-16s %8.1f\n", name, all / rounds }'
    [ "$2" -eq 0 ] || echo "$name makes $2 system calls in $rounds rounds" >> "$work/failed"
    [ "$3" -eq 0 ] || echo "$name allocates" >> "$work/failed"
done > "$work/figures.txt"

if [ "$mode" = update ]; then
    cp "$work/figures.txt" figures.txt
    cat figures.txt
else
    # A case that is new or gone fails too: the committed figures are of exactly these.
    awk -v failed="$work/failed" '
        NR == FNR { committed[$1] = $2; next }
        !($1 in committed) { print $1 " is new: make guard-update" >> failed; next }
        {
            change = 100 * ($2 / committed[$1] - 1)
            printf "%-16s %8.1f instructions, committed %8.1f, %+5.1f %%\n", $1, $2, committed[$1], change
            if (change > 5) print $1 " takes more than is committed" >> failed
            if (change < -5) print "    better than committed: make guard-update"
            delete committed[$1]
        }
        END { for (name in committed) print name " is gone: make guard-update" >> failed }
    ' figures.txt "$work/figures.txt"
fi
if [ -e "$work/failed" ]; then
    sed 's/^/guard: /' "$work/failed" >&2
    exit 1
fi
