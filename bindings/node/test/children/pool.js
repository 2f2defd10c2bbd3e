'use strict';

// 40 promises wait; the one thread of libuv's pool must still be free to read a file.

const fs = require('node:fs/promises');
const { Queue } = require('../..');

async function main() {
  const queues = Array.from({ length: 4 }, () => Queue.create());
  const waiting = queues.flatMap((queue) => Array.from({ length: 10 }, () => queue.get().catch((error) => error.code)));
  await fs.readFile(__filename);
  console.log('read while 40 wait');
  for (const queue of queues) queue.close();
  const codes = new Set(await Promise.all(waiting));
  if (codes.size !== 1 || !codes.has('E_CLOSED')) process.exitCode = 1;
}

main();
