'use strict';

// Ways for a program with open objects to end.

const { Queue } = require('../..');

const acts = {
  async idle() {
    const queue = Queue.create();
    queue.tryPut(Buffer.from('x'));
    await queue.get();
    await queue.get({ timeout: 5 }).catch(() => {}); // its waiter thread is idle now
    console.log('idle');
  },
  async waits(queue) {
    console.log('waits');
    console.log(`got ${await queue.get()}`);
  },
  async exit(queue) {
    queue.get();
    setTimeout(() => process.exit(3), 20);
  },
  async throw(queue) {
    queue.get();
    setTimeout(() => {
      throw new Error('on purpose');
    }, 20);
  },
  async close(queue) {
    setTimeout(() => queue.close(), 20);
    await queue.get().catch(() => {});
  },
};

const [act, name] = process.argv.slice(2);
acts[act](name && Queue.open(name));
