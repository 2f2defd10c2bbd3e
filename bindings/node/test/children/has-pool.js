'use strict';

// Has a pool of two workers, and ends, or is killed, or lets a worker print.

const path = require('node:path');
const { Pool } = require('../..');

async function main(how) {
  const pool = Pool.create({ worker: path.join(__dirname, '../workers/calculator.js'), workers: 2 });
  if (how === 'logs') {
    await pool.apply('logs', 'printed by a worker');
    return;
  }
  await pool.apply('square', 1);
  console.log(JSON.stringify(pool.workerPids()));
  if (how === 'killed') await pool.apply('hangs');
}

main(process.argv[2]);
