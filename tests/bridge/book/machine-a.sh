polyproc bridge out jobs "$STREAM" --create --joinable --max-items 1000 &
seq 100 | polyproc put jobs --lines
polyproc bridge wait "$STREAM" jobs --timeout 1m
