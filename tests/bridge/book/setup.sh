# STREAM is nats://HOST/JOBS.
polyproc bridge setup "$STREAM" --max-messages 100000
