#!/bin/sh
# How many instructions a hot call takes, alone with its object, and how many of them are atomic read-modify-writes,
# counted by callgrind: repeatable where times are not.
#
#   benches/guard/guard.sh check  PROGRAM    fail when a call takes 5 % more than committed, or more of the latter
#   benches/guard/guard.sh update PROGRAM    write the committed figures anew
#
# Both fail when a call makes a system call or allocates, and when a put walks through more than ten files of src.
set -eu

mode=${1:?usage: guard.sh check|update PROGRAM}
program=$(realpath "${2:?usage: guard.sh check|update PROGRAM}")
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A locked instruction, or an exchange with memory, which is locked as well.
objdump -d --no-show-raw-insn "$program" |
    awk '/[[:space:]]lock / || /[[:space:]]xchg .*\(/ { sub(":", "", $1); print "0x" $1 }' > "$work/locked"

for name in $("$program"); do
    rounds=$(valgrind -q --tool=callgrind --callgrind-out-file="$work/$name" --collect-systime=usec \
        --dump-instr=yes --compress-strings=no --compress-pos=no --zero-before=measured --dump-after=measured "$program" "$name")
    # The instructions, the locked ones, the system calls, whether it allocates.
    set -- $(awk -v program="$program" -f profile.awk "$work/locked" "$work/$name.1")
    awk -v name="$name" -v all="$1" -v locked="$2" -v rounds="$rounds" \
        'BEGIN { printf "%-16s %8.1f %6.2f\n", name, all / rounds, locked / rounds }'
    if [ "$name" = put ]; then
        awk -v program="$program" -v rounds="$rounds" -f addresses.awk "$work/put.1" | addr2line -a -i -e "$program" |
            awk '/^0x/ { found = 0; next } !found && match($0, /\/src\/[a-z_\/]+\.rs/) && !/\/(library|registry|rustc)\// {
                print substr($0, RSTART + 1, RLENGTH - 1); found = 1
            }' | sort | uniq -c | sort -rn > "$work/files.txt"
        [ "$(wc -l < "$work/files.txt")" -le 10 ] || echo "a put walks through more than ten files" >> "$work/failed"
    fi
    [ "$3" -eq 0 ] || echo "$name makes $3 system calls in $rounds rounds" >> "$work/failed"
    [ "$4" -eq 0 ] || echo "$name allocates" >> "$work/failed"
done > "$work/figures.txt"

if [ "$mode" = update ]; then
    cp "$work/figures.txt" figures.txt
    cat figures.txt
else
    # A case that is new or gone fails too: the committed figures are of exactly these.
    awk -v failed="$work/failed" '
        NR == FNR { committed[$1] = $2; locked[$1] = $3; next }
        !($1 in committed) { print $1 " is new: make guard-update" >> failed; next }
        {
            change = 100 * ($2 / committed[$1] - 1)
            printf "%-16s %8.1f instructions, committed %8.1f, %+5.1f %%; %5.2f atomic\n", $1, $2, committed[$1], change, $3
            if ($3 > locked[$1]) print $1 " makes " $3 " atomic read-modify-writes, committed " locked[$1] >> failed
            if (change > 5) print $1 " takes more than is committed" >> failed
            if (change < -5) print "    better than committed: make guard-update"
            delete committed[$1]
        }
        END { for (name in committed) print name " is gone: make guard-update" >> failed }
    ' figures.txt "$work/figures.txt"
fi
echo "files of a put, with the instructions of each:"
cat "$work/files.txt"
if [ -e "$work/failed" ]; then
    sed 's/^/guard: /' "$work/failed" >&2
    exit 1
fi
