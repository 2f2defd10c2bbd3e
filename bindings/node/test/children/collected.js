'use strict';

// Unreachable objects give up their descriptors and threads; run with --expose-gc.

const fs = require('node:fs');
const { Queue } = require('../..');
const { until } = require('../helpers.js');

const descriptors = () => fs.readdirSync('/proc/self/fd').length;

async function main() {
  Queue.create().close();
  const before = descriptors();
  for (let i = 0; i < 100; i++) {
    const queue = Queue.create();
    queue.tryPut(Buffer.alloc(100));
    if (i < 20) await queue.getMany(2).then(() => queue.get({ timeout: 1 })).catch(() => {});
  }
  await until(() => {
    global.gc();
    return descriptors() <= before;
  }, 'descriptors are closed');
  console.log('collected');
}

main();
