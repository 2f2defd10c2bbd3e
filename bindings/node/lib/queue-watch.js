'use strict';

// Queues that somebody waits to get from. One thread of the native side, `polyproc_wait_any`, watches all of them, and
// only while somebody waits: a descriptor would be kept in step for as long as the queue is open, which each put would
// pay for. Before that the event loop turns a few times: the next message of a busy queue comes sooner than a thread
// wakes up.

const { constants, native, status } = require('./native.js');
const { Operation } = require('./operation.js');
const { ThreadWait } = require('./thread-wait.js');

const TURNS = 16; // of the event loop, about as long as it takes to wake a thread and be woken by it

const turning = new Map(); // line -> turns that are left
const watched = new Set();
let wait; // the one under way
let isComplete = true; // it watches all that are watched
let isTurning = false;

function turn() {
  for (const [line, turns] of turning) {
    if (turns > 0) {
      turning.set(line, turns - 1);
      line.serve();
      line.rest();
    } else {
      turning.delete(line);
      watched.add(line);
      isComplete = false;
    }
  }
  if (!isComplete) watchAll();
  isTurning = turning.size > 0;
  if (isTurning) setImmediate(turn);
}

/** Those that came since the wait began are watched by the next one. */
function watchAll() {
  if (wait !== undefined && isComplete) return;
  if (wait !== undefined) wait.cancel();
  else if (watched.size > 0) begin([...watched]);
}

function begin(lines) {
  isComplete = true;
  const answered = (answer) => served(lines, answer);
  const failed = (error) => served(lines, error?.status ?? status.E_CANCELED);
  wait = new ThreadWait(undefined, operation, lines, { timeout: Infinity }, answered, failed);
  wait.begin();
}

const operation = new Operation({
  code: constants.WAIT_ANY,
  begin: (handle, lines, code) => native.wait(undefined, code, lines.map((line) => line.handle), lines.map(() => constants.READY_GET)),
  what: 'get',
  later: (owner, answer) => answer,
});

function served(lines, answer) {
  wait = undefined;
  const isRefused = answer === status.E_LIMIT || answer === status.E_NO_MEMORY;
  // E_CANCELED and E_CLOSED: others are to be watched. Any other status a get will find, too.
  const concernsAll = typeof answer === 'number' && answer !== status.E_CANCELED && answer !== status.E_CLOSED;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (!watched.has(line)) continue;
    if (concernsAll || answer[i] === 1) line.serve();
    if (isRefused) line.end(answer);
    else line.rest();
  }
  // Those that were served have their turn first, and perhaps wait again.
  setImmediate(watchAll);
}

const queueWatch = {
  watch(line) {
    turning.set(line, TURNS);
    if (!isTurning) {
      isTurning = true;
      setImmediate(turn);
    }
    return 0;
  },

  unwatch(line) {
    turning.delete(line);
    if (watched.delete(line) && watched.size === 0) wait?.cancel();
  },
};

module.exports = { queueWatch };
