'use strict';

// One side of the cross-language test: `node interop.js produce|consume <queue> <count> <seed>`.
// `work <queue> <count> <milliseconds>` takes messages, and works so long on each. Every language
// has the same program; tests/interop pairs them. Message i follows from the seed alone, so the
// consumer makes it again.

const { setTimeout: sleep } = require('node:timers/promises');
const { Queue } = require('../../../bindings/node');
const { Fnv1a64, messageInto, LONGEST } = require('./messages.js');

async function produce(queue, count, seed) {
  const scratch = new Uint8Array(LONGEST);
  for (let i = 0; i < count; i++) {
    await queue.put(scratch.subarray(0, messageInto(scratch, seed, i)));
  }
}

async function consume(queue, count, seed) {
  const expected = Buffer.alloc(LONGEST);
  const sum = new Fnv1a64();
  for (let i = 0; i < count; i++) {
    const message = await queue.get();
    const length = messageInto(expected, seed, i);
    if (!message.equals(expected.subarray(0, length))) {
      throw new Error(`message ${i}: ${message.length} bytes differ from the ${length} expected`);
    }
    sum.add(message);
  }
  console.log(`ok ${count} ${sum.hex()}`);
}

async function work(queue, count, milliseconds) {
  for (let i = 0; i < count; i++) {
    const message = await queue.take();
    await sleep(Number(milliseconds));
    message.done();
  }
}

async function main([role, name, count, seed]) {
  const run = { produce, consume, work }[role];
  if (run === undefined || seed === undefined) throw new Error('usage: interop.js produce|consume <queue> <count> <seed>');
  const queue = Queue.open(name);
  await run(queue, Number(count), BigInt(seed));
  queue.close();
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`interop.js: ${error.message}`);
  process.exitCode = 1;
});
