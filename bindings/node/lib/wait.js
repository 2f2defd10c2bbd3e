'use strict';

// Promises that wait. What can be had at once never comes here: the caller has tried. The native side answers each wait
// exactly once, and what it says is what holds: a wait that was aborted or timed out just as it succeeded, succeeds.

const { setImmediate: nextTurn } = require('node:timers/promises');
const { PolyprocError } = require('./errors.js');
const { native, status } = require('./native.js');
const { HANDLE, LINES } = require('./object.js');
const { readWait } = require('./options.js');

const LONGEST_TIMER = 2 ** 31 - 1; // milliseconds that setTimeout knows

const pending = []; // by the number that the native side gave

class Waiting {
  constructor(request, resolve, reject) {
    this.request = request;
    this.resolve = resolve;
    this.reject = reject;
    this.id = -1;
    this.timer = undefined;
    this.deadline = Infinity;
    this.ended = undefined; // why it was cancelled
  }

  begin() {
    const { owner, operation, argument, line, how } = this.request;
    const id = native.wait(owner[HANDLE], operation.code, argument);
    if (id < 0) {
      this.reject(new PolyprocError(id, operation.what));
      return;
    }
    this.id = id;
    pending[id] = this;
    line.length++;
    if (how.timeout !== Infinity) {
      this.deadline = performance.now() + how.timeout;
      this.setTimer(how.timeout);
    }
    how.signal?.addEventListener('abort', this);
  }

  setTimer(left) {
    this.timer = setTimeout(expire, Math.min(left, LONGEST_TIMER), this);
  }

  /** The abort event. */
  handleEvent() {
    this.cancel({ reason: this.request.how.signal.reason });
  }

  cancel(why) {
    if (this.ended !== undefined) return;
    this.ended = why;
    if (native.cancelWait(this.id)) {
      this.leave();
      this.reject(why.reason);
    }
  }

  leave() {
    pending[this.id] = undefined;
    this.request.line.length--;
    clearTimeout(this.timer);
    this.request.how.signal?.removeEventListener('abort', this);
  }

  answer(value) {
    this.leave();
    if (value === status.E_CANCELED && this.ended !== undefined) {
      this.reject(this.ended.reason);
      return;
    }
    try {
      const { owner, operation, argument } = this.request;
      this.resolve(operation.later(owner, value, argument));
    } catch (error) {
      this.reject(error);
    }
  }
}

function expire(waiting) {
  const { late, what } = waiting.request.operation;
  const left = waiting.deadline - performance.now();
  if (left > 0) {
    waiting.setTimer(left);
  } else {
    waiting.cancel({ reason: new PolyprocError(late, what) });
  }
}

native.startWaits((id, value) => pending[id].answer(value));

// A loop over promises that are all fulfilled at once would never let timers and sockets have their turn.
const RUN = 64;
let run = 0;

/** True when a call that succeeded at once should let the event loop turn, by `await nextTurn()`. */
function isLongRun() {
  if (++run < RUN) return false;
  run = 0;
  return true;
}

/** The promise of a request: its owner, operation, argument, line and how long. */
function wait(request) {
  return new Promise((resolve, reject) => new Waiting(request, resolve, reject).begin());
}

/**
 * Does an operation, waiting where it must:
 * code      constants.WAIT_*, the wait of the native side
 * direction the line in which its owner's waits queue
 * late      the status that says it cannot be had at once, and that the time is over
 * what      it is called in errors
 * attempt   (handle, argument): tries it once
 * atOnce    (owner, answer, argument): the result of such a try, or throws
 * later     likewise of what a wait answered
 */
async function perform(owner, operation, argument, options) {
  const how = readWait(options);
  const line = owner[LINES][operation.direction];
  // Who comes later queues behind those that wait.
  if (line.length === 0 || how.timeout <= 0) {
    const answer = operation.attempt(owner[HANDLE], argument);
    if (answer !== operation.late) {
      const result = operation.atOnce(owner, answer, argument);
      if (isLongRun()) await nextTurn();
      return result;
    }
    if (how.timeout <= 0) throw new PolyprocError(operation.late, operation.what);
  }
  return wait({ owner, operation, argument, line, how });
}

module.exports = { perform };
