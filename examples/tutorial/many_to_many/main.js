'use strict';

// Three producers, two consumers, and two ways to end: an end mark for each consumer, which main
// has to count, and shutdown, once, for any number of consumers.

const { Process, Queue } = require('../../../bindings/node');
const { finish, nap, run, running } = require('../../support/example.js');

const PRODUCERS = [0, 1, 2];
const CONSUMERS = [0, 1];
const BUNS = 4;

async function producer(number) {
  const queue = Queue.inherited('queue');
  for (let i = 0; i < BUNS; i++) {
    console.log(`producer ${number} puts 包子 ${number}.${i}`);
    await queue.put(`包子 ${number}.${i}`);
    await nap(0.1);
  }
}

async function consumer(number) {
  const queue = Queue.inherited('queue');
  for await (const bun of queue) {
    if (bun === null) {
      console.log(`consumer ${number} gets an end mark`);
      return;
    }
    console.log(`consumer ${number} gets ${bun}`);
  }
  console.log(`consumer ${number} sees the shutdown`);
}

async function produceAndConsume(end) {
  const queue = Queue.create({ format: 'msgpack' });
  const handles = { queue };
  const consumers = CONSUMERS.map((number) => Process.spawn({ ...running(consumer, number), handles }));
  const producers = PRODUCERS.map((number) => Process.spawn({ ...running(producer, number), handles }));
  await finish(producers);
  await end(queue);
  await finish(consumers);
  console.log('all exited with 0');
}

async function main() {
  console.log('with an end mark for each consumer');
  await produceAndConsume(async (queue) => {
    for (const _ of CONSUMERS) {
      console.log('main puts an end mark');
      await queue.put(null);
    }
  });

  console.log('with shutdown');
  await produceAndConsume((queue) => {
    console.log('main shuts the queue down');
    queue.shutdown();
  });
}

run({ main, producer, consumer });
