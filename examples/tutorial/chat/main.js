'use strict';

// First in, first out, with any producers and consumers: main's message goes to f2, f's message to
// main.

const { Process, Queue } = require('../../../bindings/node');
const { finish, run, running } = require('../../support/example.js');

async function f() {
  const queue = Queue.inherited('queue');
  console.log('f puts 姑娘,多少钱~');
  await queue.put('姑娘,多少钱~');
}

async function f2() {
  const queue = Queue.inherited('queue');
  console.log(`f2 gets ${await queue.get()}`);
}

async function main() {
  const queue = Queue.create({ format: 'msgpack' });
  console.log('main puts 小鬼');
  await queue.put('小鬼');
  await finish([Process.spawn({ ...running(f), handles: { queue } })]);
  await finish([Process.spawn({ ...running(f2), handles: { queue } })]);
  console.log(`main gets ${await queue.get()}`);
}

run({ main, f, f2 });
