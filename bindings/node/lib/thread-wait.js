'use strict';

// Waits without a descriptor: a thread of the native side blocks for them, and answers each exactly once.

const { PolyprocError } = require('./errors.js');
const { native, status } = require('./native.js');
const { HANDLE, LINES } = require('./symbols.js');
const { Waiting } = require('./waiting.js');

const pending = []; // by the number that the native side gave

native.startWaits((id, answer) => pending[id].answer(answer));

class ThreadWait extends Waiting {
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
    this.watch();
  }

  #count(n) {
    const { direction } = this.operation;
    if (direction !== undefined) this.owner[LINES][direction] += n;
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
    this.unwatch();
  }

  answer(answer) {
    this.#leave();
    if (answer === status.E_CANCELED && this.#reason !== undefined) this.reject(this.#reason[0]);
    else this.settle(answer);
  }
}

module.exports = { ThreadWait };
