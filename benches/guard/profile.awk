# From a callgrind profile: the instructions and the system calls below measured(), and whether it allocated.
function name_of(line) {
    if (!match(line, /\([0-9]+\)/)) return line
    id = substr(line, RSTART, RLENGTH)
    if (length(line) > RSTART + RLENGTH) names[id] = substr(line, RSTART + RLENGTH + 1)
    return names[id]
}
/^fn=/ { caller = name_of($0) }
/^cfn=/ { callee = name_of($0) }
/^calls=/ {
    split($1, calls, "=")
    if (calls[2] > 0 && callee ~ /^(malloc|calloc|realloc|free|posix_memalign|aligned_alloc)$/) allocates = 1
    # The next line has the costs of the call, with all that it calls.
    getline
    if (caller == "measured") { instructions = $2; system_calls = $3 }
}
END { print instructions + 0, system_calls + 0, allocates + 0 }
