'use strict';

// The functions of the pool tests.

const { setTimeout: sleep } = require('node:timers/promises');
const { inspect } = require('node:util');
const { Event, Queue } = require('../..');

let greeting = 'nothing was said';

/** Thrown values that are hard to convert to text. */
const thrown = {
  bare: () => Object.create(null),
  plain: () => ({ code: 7, message: 'a plain object' }),
  number: () => 42,
  nothing: () => undefined,
  symbol: () => Symbol('sign'),
  ownString: () => ({ toString: () => badStart() }),
  ownInspect: () => ({ [inspect.custom]: () => badStart() }),
  getter: () => Object.defineProperty(new Error('hidden'), 'message', { get: badStart }),
  oddError: () => Object.assign(new Error('x'), { message: 42, stack: undefined }),
  nul: () => new Error('before\0after'),
  proxy: () => new Proxy({}, { getPrototypeOf: badStart, get: badStart, ownKeys: badStart }),
};

function badStart() {
  throw new Error('cannot start');
}

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
  badStart,
  fails(why) {
    throw new RangeError(`failed: ${why}`);
  },
  async rejects() {
    await sleep(1);
    throw 'a string'; // eslint-disable-line no-throw-literal
  },
  throws(what) {
    throw thrown[what]();
  },
  failsFor(n) {
    if (n % 10 === 7) throw new Error(`failed for ${n}`);
    return n;
  },
  exits: (code) => process.exit(code),
  dies: () => process.kill(process.pid, 'SIGKILL'),
  /** Dies at its first attempt, which a queue marks. */
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
