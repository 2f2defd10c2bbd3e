'use strict';

// The producer tells its consumer that it has finished, with a message that cannot be a bun: null.

const { Process, Queue } = require('../../../bindings/node');
const { nap, run, running } = require('../../support/example.js');

const BUNS = 10;

async function producer() {
  const queue = Queue.inherited('queue');
  for (let i = 0; i < BUNS; i++) {
    console.log(`producer puts 包子 ${i}`);
    await queue.put(`包子 ${i}`);
    await nap(0.1);
  }
  console.log('producer puts the end mark');
  await queue.put(null);
}

async function consumer() {
  const queue = Queue.inherited('queue');
  for await (const bun of queue) {
    if (bun === null) break;
    console.log(`consumer gets ${bun}`);
  }
  console.log('consumer gets the end mark');
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
