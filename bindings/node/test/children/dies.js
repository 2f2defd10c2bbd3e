'use strict';

// Opens an object by name, performs its second argument, prints "ready" and stays until it is
// killed.

const polyproc = require('../..');

const acts = {
  take: async (queue) => {
    globalThis.taken = await queue.take();
  },
  get: (queue) => queue.get(),
  reserve: async (queue) => {
    globalThis.slot = await queue.reserve(100_000);
    globalThis.slot.data.fill(1);
  },
  acquire: (lock) => lock.acquire(),
  wait: async (queue) => {
    queue.get();
  },
};

async function main([kind, act, name]) {
  const object = polyproc[kind].open(name);
  await acts[act](object);
  console.log('ready');
  setInterval(() => {}, 1000);
}

main(process.argv.slice(2));
