'use strict';

// A hundred processes share one output. Each writes its line in two pieces, and the lock keeps them
// together.

const { Lock, Process } = require('../../../bindings/node');
const { finish, run, running } = require('../../support/example.js');

async function hello(number) {
  const lock = Lock.inherited('lock');
  await lock.hold(() => {
    process.stdout.write('hello from ');
    process.stdout.write(`process ${number}\n`);
  });
}

async function main() {
  const lock = Lock.create();
  const children = [];
  for (let i = 0; i < 100; i++) children.push(Process.spawn({ ...running(hello, i), handles: { lock } }));
  await finish(children);
}

run({ main, hello });
