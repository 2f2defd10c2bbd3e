'use strict';

// A promise that waits, with its time limit and its signal. Its subclasses: PolledWait and
// ReadyWait wait for the readiness of an object, ThreadWait for a native thread, TaskWait for a
// task of a pool.

const { PolyprocError } = require('../errors.js');

const LONGEST_TIMER = 2 ** 31 - 1; // milliseconds that setTimeout knows

class Wait {
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

  /** From now on the end of the time calls `expire`, and the signal calls `cancel`. */
  startLimits() {
    if (this.timeout !== Infinity) {
      this.deadline = performance.now() + this.timeout;
      this.setTimer(Math.max(this.timeout, 0));
    }
    this.signal?.addEventListener('abort', this);
  }

  endLimits() {
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.signal?.removeEventListener('abort', this);
  }

  setTimer(left) {
    this.timer = setTimeout(timePassed, Math.min(left, LONGEST_TIMER), this);
  }

  /** The time is over. */
  expire() {
    this.cancel(new PolyprocError(this.operation.late, this.operation.what));
  }

  /** Called at the abort event. */
  handleEvent() {
    this.cancel(this.signal.reason);
  }

  /** The native side's answer decides: a wait that was aborted just as it succeeded resolves. */
  settle(answer) {
    try {
      this.resolve(this.operation.later(this.owner, answer, this.argument));
    } catch (error) {
      this.reject(error);
    }
  }
}

function timePassed(wait) {
  const left = wait.deadline - performance.now();
  if (left > 0) wait.setTimer(left);
  else wait.expire();
}

module.exports = { Wait };
