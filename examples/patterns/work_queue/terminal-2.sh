node examples/patterns/work_queue/worker.js & sleep 3.5; kill -9 $!
build/patterns/work_queue/worker-go
