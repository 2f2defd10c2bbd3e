'use strict';

// Objects with a descriptor of their own: libuv watches those that somebody waits for.

const { native, numbers, ROW, LOAN } = require('./native.js');

/** Bun and Deno have not all of it, and say so by aborting. */
const hasLibuv = process.versions.bun === undefined && process.versions.deno === undefined;

const lines = []; // those that are watched, by the number that the native side was given
const free = []; // numbers
let idle = []; // watched, and perhaps waited for by nobody any more

const descriptors = {
  /** 0, or the status that says why there is no descriptor. */
  watch(line) {
    const number = free.length > 0 ? free.pop() : lines.length;
    const answer = native.arm(line.handle, number);
    if (answer < 0) {
      free.push(number);
      return answer;
    }
    line.number = number;
    lines[number] = line;
    return answer;
  },

  unwatch(line) {
    native.disarm(line.handle);
    lines[line.number] = undefined;
    free.push(line.number);
  },
};

native.startPoll(
  (count) => {
    const ready = [];
    for (let i = 0; i < count; i++) ready.push(lines[numbers[i * ROW + LOAN]]);
    for (const line of ready) {
      if (line === undefined) continue;
      line.serve();
      idle.push(line);
    }
  },
  // Once those that were served have had their turn, and perhaps wait again.
  () => {
    const rested = idle;
    idle = [];
    for (const line of rested) line.rest();
  },
  hasLibuv,
);

module.exports = { descriptors };
