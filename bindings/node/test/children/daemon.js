'use strict';

// A daemonic process: prints that it is one and that it may not spawn; then stays.

const { Process, Queue, current } = require('../..');

let spawn = 'allowed';
try {
  Process.spawn({ argv: ['true'] });
} catch (error) {
  spawn = error.code;
}
Queue.inherited('results').tryPut({ daemon: current().daemon, spawn });
setInterval(() => {}, 1000);
