seconds=${1:-1} # that a job takes
export seconds
# A job is done when its program exits with 0. Killed: another worker gets the job.
exec polyproc take book.jobs --follow -- \
    sh -c 'echo "begins $1"; sleep "$seconds"; echo "ends $1"' sh {}
