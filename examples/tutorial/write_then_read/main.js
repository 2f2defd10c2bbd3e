'use strict';

// The writer is gone before the reader starts: its messages stay. As isEmpty is exact and nobody
// else puts, the reader can get while the queue is not empty.

const { Process, Queue } = require('../../../bindings/node');
const { run, running } = require('../../support/example.js');

async function writer() {
  const queue = Queue.inherited('queue');
  for (const letter of ['A', 'B', 'C']) {
    console.log(`writer puts ${letter}`);
    await queue.put(letter);
  }
}

async function reader() {
  const queue = Queue.inherited('queue');
  while (!queue.isEmpty) console.log(`reader gets ${await queue.get()}`);
}

async function main() {
  const queue = Queue.create({ format: 'msgpack' });
  const w = Process.spawn({ ...running(writer), handles: { queue } });
  console.log(`writer exited with ${await w.join()}`);
  const r = Process.spawn({ ...running(reader), handles: { queue } });
  console.log(`reader exited with ${await r.join()}`);
}

run({ main, writer, reader });
