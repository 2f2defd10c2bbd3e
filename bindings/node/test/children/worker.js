'use strict';

const { parentPort, workerData } = require('node:worker_threads');
const polyproc = require('../..');

const acts = {
  async answer(name) {
    const queue = polyproc.Queue.open(name);
    const answers = polyproc.Queue.create({ name: `${name}.answers`, format: 'msgpack' });
    parentPort.postMessage(answers.name);
    for await (const value of queue) await answers.put(value * 2);
    polyproc.unlink(answers.name);
  },
  async wait(name) {
    const queue = polyproc.Queue.open(name);
    queue.get();
    queue.take();
    setTimeout(() => parentPort.postMessage('waits'), 5);
    await queue.getMany(5);
  },
  async take(name) {
    const queue = polyproc.Queue.open(name);
    globalThis.taken = [await queue.take(), await queue.take()];
    globalThis.sum = globalThis.taken.map((message) => message.data[0]);
    parentPort.postMessage('took');
    setInterval(() => {}, 1000);
  },
  async exit(name) {
    const queue = polyproc.Queue.open(name);
    queue.get();
    setTimeout(() => process.exit(5), 10);
  },
  async acquire(name) {
    const object = (() => {
      try {
        return polyproc.Lock.open(name);
      } catch {
        return polyproc.Semaphore.open(name);
      }
    })();
    object.acquire();
    setTimeout(() => parentPort.postMessage('waits'), 5);
  },
};

acts[workerData.act](workerData.name);
