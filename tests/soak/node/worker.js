'use strict';

// One process of the soak, until it is killed: `node worker.js <role> <prefix> <life>`, the same
// program in every language. tests/soak/c/worker.c describes what it does and reports.

const { writeSync } = require('node:fs');
const { setTimeout: nap } = require('node:timers/promises');
const { Event, Lock, PolyprocError, Queue, Semaphore } = require('../../../bindings/node');

const LONG_MESSAGE = 20_000;
const BURST = 16;
const STDOUT = 1;

const record = Buffer.alloc(8);

function report(whose, number) {
  record.writeUInt32LE(whose, 0);
  record.writeUInt32LE(number, 4);
  writeSync(STDOUT, record);
}

const lengthOf = (number) => (number % 50 === 7 ? LONG_MESSAGE : 8 + (number % 100));

// If shared memory is small, a put that finds none is tried again.
async function put(queue, message) {
  for (;;) {
    try {
      return await queue.put(message);
    } catch (error) {
      if (error.code !== 'E_NO_MEMORY' || !process.env.POLYPROC_SOAK_LACKS_MEMORY) throw error;
      await nap(1);
    }
  }
}

async function produce({ prefix, life, stop }) {
  const queues = [Queue.open(`${prefix}.joinable`), Queue.open(`${prefix}.unlimited`)];
  for (let number = 0; !stop.isSet; number++) {
    const message = Buffer.alloc(lengthOf(number), number & 0xff);
    message.writeUInt32LE(life, 0);
    message.writeUInt32LE(number, 4);
    await put(queues[number % 2], message);
    report(life, number);
    if (number % BURST === 0) await nap(2);
  }
}

function note(data) {
  const number = data.length >= 8 ? data.readUInt32LE(4) : 0;
  if (data.length !== lengthOf(number)) throw new Error(`a message of ${data.length} bytes came out of nothing`);
  if (data.subarray(8).some((byte) => byte !== (number & 0xff))) throw new Error(`message ${number} is damaged`);
  report(data.readUInt32LE(0), number);
}

async function consume(queue) {
  for (let byCopy = false; ; byCopy = queue.joinable && !byCopy) {
    if (byCopy) {
      note(await queue.get());
      queue.taskDone();
    } else {
      const message = await queue.take();
      note(message.data);
      message.done();
    }
  }
}

async function takeLock({ prefix, life, stop }) {
  const [lock, inside] = [Lock.open(`${prefix}.lock`), Semaphore.open(`${prefix}.inside`)];
  for (let count = 0; !stop.isSet; count++) {
    await lock.acquire({ timeout: 5000 });
    await inside.acquire({ timeout: 1000 });
    report(life, count);
    inside.release();
    lock.release();
    await nap(1);
  }
}

async function takePermits({ prefix, life, stop }) {
  const permits = Semaphore.open(`${prefix}.permits`);
  for (let count = 0; !stop.isSet; count++) {
    await permits.acquire({ timeout: 5000 });
    report(life, count);
    await nap(1);
    permits.release();
  }
}

const roles = {
  produce,
  'consume-joinable': ({ prefix }) => consume(Queue.open(`${prefix}.joinable`)),
  'consume-unlimited': ({ prefix }) => consume(Queue.open(`${prefix}.unlimited`)),
  lock: takeLock,
  permits: takePermits,
};

async function main([role, prefix, life]) {
  const stop = Event.open(`${prefix}.stop`);
  await roles[role]({ prefix, life: Number(life), stop });
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    if (error instanceof PolyprocError && error.code === 'E_SHUTDOWN') process.exit(0);
    console.error(`worker.js: ${error.stack}`);
    process.exit(3);
  },
);
