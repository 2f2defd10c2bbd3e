polyproc bridge in "$STREAM" jobs --create --joinable --max-deliveries 3 &
polyproc take jobs -P 4 --follow -- sh -c 'echo "done: $1"' sh {}
