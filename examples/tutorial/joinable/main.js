'use strict';

// Producers that wait until their buns have been eaten: taskDone settles a message, join waits for
// all of them. The consumers wait for ever: they are daemonic and end with main.

const { Process, Queue } = require('../../../bindings/node');
const { finish, run, running } = require('../../support/example.js');

const BUNS = 10;

async function producer(number) {
  const queue = Queue.inherited('queue');
  for (let i = 0; i < BUNS; i++) await queue.put(`包子 ${number}.${i}`);
  console.log(`producer ${number}: 生产结束`);
  await queue.join();
  console.log(`producer ${number}: 生产结束~~~~~~`);
}

async function consumer(number) {
  const queue = Queue.inherited('queue');
  for await (const bun of queue) {
    console.log(`consumer ${number} gets ${bun}`);
    queue.taskDone();
  }
}

async function main() {
  const queue = Queue.create({ joinable: true, format: 'msgpack' });
  const handles = { queue };
  for (const number of [0, 1]) Process.spawn({ ...running(consumer, number), handles, daemon: true });
  await finish([0, 1, 2].map((number) => Process.spawn({ ...running(producer, number), handles })));
  console.log('main ends');
}

run({ main, producer, consumer });
