seq 100 | polyproc put jobs --lines --create --max-items 1000
polyproc bridge out jobs "$STREAM" &
polyproc bridge wait "$STREAM" jobs --timeout 1m
