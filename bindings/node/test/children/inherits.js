'use strict';

// Given two queues, a lock, a semaphore and an event: does a bit with each.

const { Event, Lock, Queue, Semaphore, current } = require('../..');

function codeOf(call) {
  try {
    call();
    return undefined;
  } catch (error) {
    return error.code;
  }
}

async function main() {
  const work = Queue.inherited('work');
  const results = Queue.inherited('results');
  const lock = Lock.inherited('lock');
  const permits = Semaphore.inherited('permits');
  await Event.inherited('go').wait({ timeout: 20_000 });
  await permits.acquire();
  const { double } = await work.get();
  const locked = lock.isLocked;
  lock.release();
  await results.put({
    doubled: double.map((value) => value + value),
    permits: permits.value,
    locked,
    current: current(),
    mismatch: codeOf(() => Lock.inherited('work')),
    nobody: codeOf(() => Queue.inherited('nobody')),
  });
}

main();
