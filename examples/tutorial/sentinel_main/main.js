'use strict';

// Main puts the end mark when the producer has been joined: a put that has returned is in the
// queue, so the mark comes after all buns.

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
  console.log(`producer exited with ${await p.join()}`);
  console.log('main puts the end mark');
  await queue.put(null);
  console.log(`consumer exited with ${await c.join()}`);
}

run({ main, producer, consumer });
