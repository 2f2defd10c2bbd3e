'use strict';

// Five processes print two lines each. Without a lock the lines of different processes mix, with it
// they are pairs.

const { Lock, Process } = require('../../../bindings/node');
const { finish, nap, run, running } = require('../../support/example.js');

const NUMBERS = [0, 1, 2, 3, 4];

async function work(number) {
  console.log(`process ${number} is running`);
  await nap(0.2);
  console.log(`process ${number} is done`);
}

async function workLocked(number) {
  const lock = Lock.inherited('lock');
  await lock.hold(() => work(number));
}

async function main() {
  console.log('without the lock');
  await finish(NUMBERS.map((number) => Process.spawn(running(work, number))));

  console.log('with the lock');
  const lock = Lock.create();
  await finish(NUMBERS.map((number) => Process.spawn({ ...running(workLocked, number), handles: { lock } })));
}

run({ main, work, workLocked });
