'use strict';

// Waits at a condition or a barrier until its standard input says to exit.

const { Barrier, Condition, Lock } = require('../..');

const [, , what, name, lockName] = process.argv;

process.stdin.once('data', () => {
  console.log('exits');
  process.exit(5);
});

async function main() {
  if (what === 'barrier') {
    const index = await Barrier.open(name).wait();
    console.log(`party ${index}`);
  } else {
    const lock = Lock.open(lockName);
    await lock.acquire();
    const held = await Condition.open(name).wait(lock);
    held.release();
    console.log('notified');
  }
}

main();
