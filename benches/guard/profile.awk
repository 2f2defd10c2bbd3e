# From the addresses of a program's locked instructions, and then a callgrind profile of it without compression: the instructions, the
# locked ones among them and the system calls below measured(), and whether it allocated.
FNR == NR { locked[$1] = 1; next }
/^ob=/ { is_ours = substr($0, 4) == program }
/^fn=/ { caller = substr($0, 4) }
/^cfn=/ { callee = substr($0, 5) }
/^calls=/ {
    split($1, calls, "=")
    if (calls[2] > 0 && callee ~ /^(malloc|calloc|realloc|free|posix_memalign|aligned_alloc)$/) allocates = 1
    # The next line has the costs of the call, with all that it calls.
    getline
    if (caller == "measured") { instructions = $3; system_calls = $4 }
    # The program reads the clock in its own memory, which valgrind hides.
    if (callee ~ /clock_gettime/ && caller !~ /clock_gettime/) clock += $4
    next
}
is_ours && $1 in locked { atomics += $3 }
END { print instructions + 0, atomics + 0, system_calls - clock, allocates + 0 }
