'use strict';

// A queue with a name that main makes and the tasks of a pool open: one writes into it, the other
// reads. In Python it takes a Manager, another process; here a name is enough.

const { Pool, Queue, runWorker, unlink } = require('../../../bindings/node');
const { run, running } = require('../../support/example.js');

async function writer(name) {
  const queue = Queue.open(name);
  for (const letter of 'dongGe') {
    console.log(`writer puts ${letter}`);
    await queue.put(letter);
  }
}

function reader(name) {
  const queue = Queue.open(name);
  for (let letter; (letter = queue.tryGet()) !== undefined; ) console.log(`reader gets ${letter}`);
}

const worker = () => runWorker({ writer, reader });

async function main() {
  const name = `pool_queue.${process.pid}`;
  Queue.create({ name, format: 'msgpack' });
  const pool = Pool.create(running(worker));
  await pool.apply('writer', name);
  await pool.apply('reader', name);
  pool.close();
  await pool.join();
  unlink(name);
}

run({ main, worker });
