'use strict';

// Messages that nobody gets hold up no process's exit: they are in shared memory, not in the
// producer.

const { Process, Queue } = require('../../../bindings/node');
const { run, running } = require('../../support/example.js');

const MESSAGES = 10;

async function producer() {
  const queue = Queue.inherited('queue');
  for (let i = 0; i < MESSAGES; i++) await queue.put(i);
  console.log(`producer put ${MESSAGES} messages`);
}

async function main() {
  const queue = Queue.create({ format: 'msgpack' });
  const p = Process.spawn({ ...running(producer), handles: { queue } });
  console.log(`producer exited with ${await p.join()}`);
  console.log(`main ends, ${queue.length} messages are unread`);
}

run({ main, producer });
