'use strict';

// Starts a daemon, prints its pid, and stays.

const { Process, Queue } = require('../..');

const daemon = Process.spawn({ argv: ['sleep', '60'], daemon: true });
Queue.inherited('pids').tryPut(daemon.pid);
setInterval(() => {}, 1000);
