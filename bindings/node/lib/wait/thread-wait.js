'use strict';

// A wait for which a native thread blocks, because its object has no source that reports it ready.
// Each is answered exactly once.

const { PolyprocError } = require('../errors.js');
const { native, status } = require('../native.js');
const { HANDLE, THREAD_WAITS } = require('../symbols.js');
const { Wait } = require('./wait.js');

const pending = []; // by the number that the native side gave

native.startWaits((id, answer) => pending[id].answer(answer));

class ThreadWait extends Wait {
  #id = -1;
  #reason; // why it was cancelled, in a list of one

  begin() {
    const { begin, code, what } = this.operation;
    const handle = this.owner?.[HANDLE];
    const id = begin === undefined ? native.wait(handle, code, this.argument) : begin(handle, this.argument, code);
    if (id < 0) {
      this.reject(new PolyprocError(id, what));
      return;
    }
    this.#id = id;
    pending[id] = this;
    this.#count(1);
    this.startLimits();
  }

  #count(n) {
    const { direction } = this.operation;
    if (direction !== undefined) this.owner[THREAD_WAITS][direction] += n;
  }

  cancel(reason) {
    if (this.#reason !== undefined) return;
    this.#reason = [reason];
    if (native.cancelWait(this.#id)) {
      this.#leave();
      this.reject(reason);
    }
  }

  #leave() {
    pending[this.#id] = undefined;
    this.#count(-1);
    this.endLimits();
  }

  answer(answer) {
    this.#leave();
    if (answer === status.E_CANCELED && this.#reason !== undefined) this.reject(this.#reason[0]);
    else this.settle(answer);
  }
}

function waitByThread(owner, operation, argument, how) {
  return new Promise((resolve, reject) => {
    new ThreadWait(owner, operation, argument, how, resolve, reject).begin();
  });
}

module.exports = { ThreadWait, waitByThread };
