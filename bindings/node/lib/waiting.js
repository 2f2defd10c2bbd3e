'use strict';

// A promise that waits: its time limit and its signal. How it waits is for the two kinds that extend this: by a
// descriptor (line.js) or by a thread of the native side (thread-wait.js).

const { PolyprocError } = require('./errors.js');

const LONGEST_TIMER = 2 ** 31 - 1; // milliseconds that setTimeout knows

class Waiting {
  constructor(owner, operation, argument, how, resolve, reject) {
    this.owner = owner;
    this.operation = operation;
    this.argument = argument;
    this.signal = how.signal;
    this.timeout = how.timeout;
    this.resolve = resolve;
    this.reject = reject;
    this.timer = undefined;
    this.deadline = Infinity;
  }

  /** From now on `expire` or `cancel` is called, when the time is over or the signal fires. */
  watch() {
    if (this.timeout !== Infinity) {
      this.deadline = performance.now() + this.timeout;
      this.setTimer(Math.max(this.timeout, 0));
    }
    this.signal?.addEventListener('abort', this);
  }

  setTimer(left) {
    this.timer = setTimeout(timePassed, Math.min(left, LONGEST_TIMER), this);
  }

  /** The time is over. */
  expire() {
    this.cancel(new PolyprocError(this.operation.late, this.operation.what));
  }

  /** The abort event. */
  handleEvent() {
    this.cancel(this.signal.reason);
  }

  unwatch() {
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.signal?.removeEventListener('abort', this);
  }

  /** What the native side said is what holds: a wait that was aborted just as it succeeded, succeeds. */
  settle(answer) {
    try {
      this.resolve(this.operation.later(this.owner, answer, this.argument));
    } catch (error) {
      this.reject(error);
    }
  }
}

function timePassed(waiting) {
  const left = waiting.deadline - performance.now();
  if (left > 0) waiting.setTimer(left);
  else waiting.expire();
}

module.exports = { Waiting };
