# The addresses of the instructions of `program` that nearly every round executes: now and then a
# round takes the general path.
/^ob=/ { inside = substr($0, 4) == program; next }
/^calls=/ { getline; next }
inside && /^0x/ { executed[$1] += $3 }
END { for (address in executed) if (executed[address] > 0.9 * rounds) print address }
