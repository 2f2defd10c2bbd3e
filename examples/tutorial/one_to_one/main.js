'use strict';

// One producer, one consumer, and a queue that both inherit by name.

const { Process, Queue } = require('../../../bindings/node');
const { run, running } = require('../../support/example.js');

async function producer() {
  const queue = Queue.inherited('queue');
  console.log('producer puts 1');
  await queue.put(1);
}

async function consumer() {
  const queue = Queue.inherited('queue');
  console.log(`consumer gets ${await queue.get()}`);
}

async function main() {
  const queue = Queue.create({ format: 'msgpack' });
  const handles = { queue };
  const p = Process.spawn({ ...running(producer), handles });
  const c = Process.spawn({ ...running(consumer), handles });
  const codes = [await p.join(), await c.join()];
  console.log(`producer exited with ${codes[0]}`);
  console.log(`consumer exited with ${codes[1]}`);
}

run({ main, producer, consumer });
