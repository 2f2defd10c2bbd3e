'use strict';

// The functions of the pool tests.

const { setTimeout: sleep } = require('node:timers/promises');
const { Event, Queue } = require('../..');

let greeting = 'nothing was said';

module.exports = {
  square: (n) => n * n,
  squareWhere: (n) => [n * n, process.pid],
  async slowSquare(n) {
    await sleep(n);
    return n * n;
  },
  echo: (value) => value,
  pid: () => process.pid,
  greet: (words) => void (greeting = words),
  greeting: () => greeting,
  badStart() {
    throw new Error('cannot start');
  },
  fails(why) {
    throw new RangeError(`failed: ${why}`);
  },
  async rejects() {
    await sleep(1);
    throw 'a string'; // eslint-disable-line no-throw-literal
  },
  failsFor(n) {
    if (n % 10 === 7) throw new Error(`failed for ${n}`);
    return n;
  },
  exits: (code) => process.exit(code),
  dies: () => process.kill(process.pid, 'SIGKILL'),
  /** Dies at its first attempt, told by a queue. */
  async diesOnce(name) {
    const queue = Queue.open(name);
    if (queue.tryGet() !== undefined) process.kill(process.pid, 'SIGKILL');
    return 'done at last';
  },
  hangs: () => new Promise(() => setInterval(() => {}, 1000)),
  spins() {
    for (;;);
  },
  async waitsFor(name) {
    if (name !== '') await Event.open(name).wait();
    return name;
  },
  async failsWhenTold(name) {
    await Event.open(name).wait();
    throw new Error('as told');
  },
  long: (n) => Buffer.alloc(n, 7),
  logs: (text) => console.log(text),
};
