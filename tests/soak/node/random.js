'use strict';

// One process of the random soak in JavaScript. tests/soak/c/random.c and random.h describe its
// arguments, steps and log; it knows queues only.

const { writeSync } = require('node:fs');
const { Event, PolyprocError, Queue } = require('../../../bindings/node');

const START = 1, LEAVE = 2, PUT_BEGIN = 3, PUT_END = 4, TAKE_BEGIN = 5, TAKE_END = 6, GOT = 7, GOT_FOR_GOOD = 8;
const DONE_BEGIN = 9, DONE_END = 10, RETURN_BEGIN = 11, RETURN_END = 12;
const IDENTITY = 8, DENSE = 4096, STRIDE = 509, HANDS = 32, MAY_LACK_MEMORY = 32, MAX_BACKLOG = 64 << 20;

const [seed, steps, , ...words] = process.argv.slice(2);
const told = Object.fromEntries(words.map((word) => word.split('=')));
const actor = ((process.pid << 16) | (Number(process.hrtime.bigint() >> 18n) & 0xffff)) >>> 0;
const loans = [];
let numbers = 0;
let state = (BigInt(seed) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn || 1n;

function any(limit) {
  state ^= (state << 13n) & 0xffffffffffffffffn;
  state ^= state >> 7n;
  state ^= (state << 17n) & 0xffffffffffffffffn;
  return Number((state >> 20n) % BigInt(limit));
}

function note(op, place, error, message, value) {
  const record = Buffer.alloc(32);
  record.writeUInt32LE(op, 0);
  record.writeUInt32LE(actor, 4);
  record.writeInt32LE(place, 8);
  record.writeInt32LE(error ? -2 : 0, 12);
  record.writeBigUInt64LE(BigInt(message), 16);
  record.writeBigUInt64LE(BigInt(value), 24);
  writeSync(1, record);
}

// The statuses of a call that tried or waited, with nothing done.
function allow(error, ...also) {
  const known = ['E_TIMEOUT', 'E_EMPTY', 'E_FULL', 'E_SHUTDOWN', ...also];
  if (Number(told.may) & MAY_LACK_MEMORY) known.push('E_NO_MEMORY');
  if (!(error instanceof PolyprocError) || !known.includes(error.code)) throw error;
}

const byteOf = (message, at) => Number((message ^ (message >> 32n) ^ BigInt(at * 7)) & 0xffn);

function* places(length) {
  for (let at = IDENTITY; at < length; at += at < DENSE ? 1 : STRIDE) yield at;
  if (length > IDENTITY) yield length - 1;
}

function newMessage(largest) {
  const message = (BigInt(actor) << 32n) | BigInt(numbers++);
  const data = Buffer.alloc(IDENTITY + any(Math.min(largest, 5000) - IDENTITY + 1));
  data.writeBigUInt64LE(message);
  for (const at of places(data.length)) data[at] = byteOf(message, at);
  return { message, data };
}

function read(data) {
  if (data.length === 0) return 0n;
  if (data.length < IDENTITY) throw new Error(`a message of ${data.length} bytes came out of nothing`);
  const message = data.readBigUInt64LE();
  for (const at of places(data.length)) {
    if (data[at] !== byteOf(message, at)) throw new Error(`message ${message.toString(16)} is damaged at ${at}`);
  }
  return message;
}

function isEnough(queue) {
  try {
    return queue.info().bytes > MAX_BACKLOG;
  } catch (error) {
    allow(error);
    return true;
  }
}

async function put(place, line) {
  if (line.isShut || isEnough(line.queue)) return;
  const items = [newMessage(line.largest)];
  if (any(3) === 0) for (let more = any(8); more > 0; more--) items.push(newMessage(Math.min(line.largest, 300)));
  let done = 0, failed;
  note(PUT_BEGIN, place, null, items[0].message, items.length);
  try {
    const timeout = any(4);
    if (items.length > 1) done = await line.queue.putMany(items.map((item) => item.data), { timeout });
    else done = (await line.queue.put(items[0].data, { timeout }), 1);
  } catch (error) {
    failed = error;
  }
  note(PUT_END, place, failed, items[0].message, done);
  if (failed) allow(failed, 'E_TOO_LARGE');
  line.isShut = failed?.code === 'E_SHUTDOWN';
}

function settle() {
  const { message, place, is } = loans.at(-1);
  const gives = any(6) === 0;
  let failed;
  note(gives ? RETURN_BEGIN : DONE_BEGIN, place, null, is, 0);
  try {
    if (gives) message.return();
    else message.done();
    loans.pop();
  } catch (error) {
    failed = error;
  }
  note(gives ? RETURN_END : DONE_END, place, failed, is, 0);
  if (failed) allow(failed);
}

/**
 * Repeats a call that timed out. Otherwise the message would stay with this process, and the next
 * call, which settles the oldest message, would settle it instead of the one that the log names.
 */
function finishOldest(queue) {
  for (;;) {
    try {
      return queue.taskDone();
    } catch (error) {
      if (error.code !== 'E_TIMEOUT') throw error;
    }
  }
}

async function take(place, line) {
  if (loans.length > 0 && (loans.length >= HANDS || any(2) === 0)) return settle();
  const copies = any(3) === 0, forGood = copies && !line.queue.joinable;
  note(TAKE_BEGIN, place, null, 0, forGood ? 1 : 0);
  try {
    if (!copies) {
      for (const message of await line.queue.takeMany(1 + any(4), { timeout: any(4) })) {
        const is = read(message.data);
        note(GOT, place, null, is, message.deliveries);
        loans.push({ message, place, is });
      }
      return;
    }
    const is = read(await line.queue.get({ timeout: any(4) }));
    note(forGood ? GOT_FOR_GOOD : GOT, place, null, is, 0);
    if (forGood) return;
    note(DONE_BEGIN, place, null, is, 0);
    finishOldest(line.queue);
    note(DONE_END, place, null, is, 0);
  } catch (error) {
    note(TAKE_END, place, error, 0, 0);
    allow(error);
  }
}

/** The open reads the queue's options under its locks, which a stopped process may hold. */
function opened(spec) {
  for (;;) {
    try {
      return spec.startsWith('fd:') ? Queue.fromFd(Number(spec.slice(3))) : Queue.open(spec);
    } catch (error) {
      if (error.code !== 'E_TIMEOUT') throw error;
    }
  }
}

function openLine(place) {
  const [joinable, , , , , largest] = told[`o${place}`].split(',').map(Number);
  const queue = opened(told[`q${place}`]);
  return { queue, largest, joinable, isShut: false };
}

async function main() {
  note(START, 0, null, 0, (BigInt(process.pid) << 32n) | BigInt(process.ppid));
  const stop = Event.open(told.stop);
  const lines = [];
  try {
    for (let place = 0; `q${place}` in told; place++) lines.push(openLine(place));
  } catch (error) {
    if (error.code === 'E_NOT_FOUND') return; // its name has just been taken away
    throw error;
  }
  for (let step = Number(steps); step > 0 && !stop.isSet; step--) {
    const place = any(lines.length);
    await (any(10) < Number(told.puts) ? put : take)(place, lines[place]);
  }
  while (loans.length > 0) settle();
  note(LEAVE, 0, null, 0, 0);
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(`random.js: ${error.stack}`);
    process.exit(3);
  },
);
