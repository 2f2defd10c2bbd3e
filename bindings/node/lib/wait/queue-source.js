'use strict';

// The source of queues that promises wait to get from. One native thread waits in
// `polyproc_wait_any` for all of them, and only while a promise waits: a descriptor of a queue
// would have to be kept up to date as long as the queue is open, and that would slow each put.
// Before the thread waits, the event loop turns a few times: the next message of a busy queue comes
// sooner than a thread wakes up.

const { constants, native, status } = require('../native.js');
const { Operation } = require('./operation.js');
const { ThreadWait } = require('./thread-wait.js');

// Turns of the event loop. Chosen so that the answer of another process comes while the loop turns,
// if each process has a core of its own: ping-pong takes 4 us with 8 turns or more, 65 us with 4 or
// fewer; a stream takes the same with any. Measured by `benches/peers/node/polyproc.mjs pingpong`,
// one of the programs of `make bench ONLY=W2`.
const TURNS = 16;

const turning = new Map(); // Readiness -> turns that are left
const threaded = new Set(); // each Readiness that the thread is to wait for
let wait; // the thread's, while it waits
let isComplete = true; // it waits for all of them
let isTurning = false;

function turn() {
  for (const [readiness, turns] of turning) {
    if (turns > 0) {
      turning.set(readiness, turns - 1);
      readiness.report();
      readiness.stopIfIdle();
    } else {
      turning.delete(readiness);
      threaded.add(readiness);
      isComplete = false;
    }
  }
  if (!isComplete) waitForAll();
  isTurning = turning.size > 0;
  if (isTurning) setImmediate(turn);
}

/** The thread's next wait includes the waits that came since its last one began. */
function waitForAll() {
  if (wait !== undefined && isComplete) return;
  if (wait !== undefined) wait.cancel();
  else if (threaded.size > 0) begin([...threaded]);
}

function begin(all) {
  isComplete = true;
  const answered = (answer) => report(all, answer);
  const failed = (error) => report(all, error?.status ?? status.E_CANCELED);
  wait = new ThreadWait(undefined, operation, all, { timeout: Infinity }, answered, failed);
  wait.begin();
}

const operation = new Operation({
  code: constants.WAIT_ANY,
  begin: (handle, all, code) => native.wait(undefined, code, all.map((one) => one.handle), all.map(() => constants.READY_GET)),
  what: 'get',
  later: (owner, answer) => answer,
});

/** `answer`: a byte for each of them, 1 if it is ready; or a status */
function report(all, answer) {
  wait = undefined;
  const isRefused = answer === status.E_LIMIT || answer === status.E_NO_MEMORY;
  // E_CANCELED and E_CLOSED mean that the set has changed. With any other status let all of them
  // try: their gets return the status too.
  const concernsAll = typeof answer === 'number' && answer !== status.E_CANCELED && answer !== status.E_CLOSED;
  for (let i = 0; i < all.length; i++) {
    const readiness = all[i];
    if (!threaded.has(readiness)) continue;
    if (concernsAll || answer[i] === 1) readiness.report();
    if (isRefused) readiness.fail(answer);
    else readiness.stopIfIdle();
  }
  // Runs after the fulfilled promises: their callers perhaps wait again.
  setImmediate(waitForAll);
}

const queueSource = {
  start(readiness) {
    turning.set(readiness, TURNS);
    if (!isTurning) {
      isTurning = true;
      setImmediate(turn);
    }
    return 0;
  },

  stop(readiness) {
    turning.delete(readiness);
    if (threaded.delete(readiness) && threaded.size === 0) wait?.cancel();
  },
};

module.exports = { queueSource };
