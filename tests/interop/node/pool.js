'use strict';

// A pool and its workers, as in ../c/pool.c: `node pool.js main WORKER [ARGUMENT...]`, `node
// pool.js worker`.

const assert = require('node:assert/strict');
const { Pool, runWorker } = require('../../../bindings/node');

const TASKS = 300;
const LONGEST = 200_000;

const functions = {
  reverse: (bytes) => Buffer.from(bytes).reverse(),
  fail(bytes) {
    throw new Error(`failed: ${bytes}`);
  },
};

/** Task n has the bytes n, n + 1, ...; its length grows from task to task, from 0 to LONGEST. */
function dataOf(n) {
  const data = Buffer.alloc(Math.floor((n * n * LONGEST) / (TASKS * TASKS)));
  for (let i = 0; i < data.length; i++) data[i] = n + i;
  return data;
}

async function main(argv) {
  const pool = Pool.create({ argv, workers: 2, format: '' });
  const tasks = Array.from({ length: TASKS }, (_, n) => pool.submit('reverse', dataOf(n)));
  for (let n = 0; n < TASKS; n++) assert.ok((await tasks[n]).equals(dataOf(n).reverse()), `task ${n}`);
  await assert.rejects(pool.apply('fail', Buffer.from('because')), { code: 'E_TASK_FAILED', message: 'failed: because' });
  await assert.rejects(pool.apply('nothing', Buffer.alloc(0)), { code: 'E_NOT_FOUND' });
  pool.close();
  await pool.join();
  console.log('ok');
}

const [role, ...argv] = process.argv.slice(2);
if (role === 'worker') runWorker(functions, { format: '' });
else main(argv);
