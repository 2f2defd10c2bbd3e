'use strict';

// The source of objects with a descriptor: the native side polls the descriptors that promises wait
// for.

const { native, numbers, ROW, LOAN } = require('../native.js');

/** Bun and Deno have only parts of libuv, and abort on the rest. */
const hasLibuv = process.versions.bun === undefined && process.versions.deno === undefined;

const polled = []; // each Readiness whose descriptor is polled, by the number that the native side was given
const free = []; // numbers
let idle = []; // polled, though perhaps no promise waits for them any more

const descriptors = {
  /** Returns 0, or the status that says why there is no descriptor. */
  start(readiness) {
    const number = free.length > 0 ? free.pop() : polled.length;
    const answer = native.arm(readiness.handle, number);
    if (answer < 0) {
      free.push(number);
      return answer;
    }
    readiness.number = number;
    polled[number] = readiness;
    return answer;
  },

  stop(readiness) {
    native.disarm(readiness.handle);
    polled[readiness.number] = undefined;
    free.push(readiness.number);
  },
};

native.startPoll(
  (count) => {
    const ready = [];
    for (let i = 0; i < count; i++) ready.push(polled[numbers[i * ROW + LOAN]]);
    for (const readiness of ready) {
      if (readiness === undefined) continue;
      readiness.report();
      idle.push(readiness);
    }
  },
  // Runs after the fulfilled promises: their callers perhaps wait again.
  () => {
    const reported = idle;
    idle = [];
    for (const readiness of reported) readiness.stopIfIdle();
  },
  hasLibuv,
);

module.exports = { descriptors };
