seconds=${1:-1}
export seconds
# At most two of these programs run. Killed: the permit comes back.
exec polyproc sem book.rooms --permits 2 -- sh -c 'echo inside; sleep "$seconds"'
