seconds=${1:-10}
export seconds
exec polyproc lock book.leader -- sh -c 'echo "$$ leads"; sleep "$seconds"'
