'use strict';

// A pool of four workers: two squares one after the other, then both at once.

const { Pool, runWorker } = require('../../../bindings/node');
const { nap, run, running } = require('../../support/example.js');

async function square(number) {
  console.log(`worker squares ${number}`);
  await nap(1);
  return number * number;
}

const worker = () => runWorker({ square });

async function main() {
  const pool = Pool.create({ ...running(worker), workers: 4 });
  console.log('one after the other');
  console.log(`main got ${await pool.apply('square', 2)}`);
  console.log(`main got ${await pool.apply('square', 3)}`);
  console.log('both at once');
  const tasks = [pool.submit('square', 2), pool.submit('square', 3)];
  for (const task of tasks) console.log(`main got ${await task}`);
  pool.close();
  await pool.join();
}

run({ main, worker });
