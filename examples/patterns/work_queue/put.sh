seq -f 'page %g' 10 | polyproc put book.jobs --lines --create --joinable
polyproc join book.jobs # until each job is done, whoever does it
echo "10 jobs are done"
polyproc shutdown book.jobs # the workers' loops end
polyproc rm book.jobs
