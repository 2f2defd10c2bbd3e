'use strict';

const { performNext } = require('./wait/perform.js');

/** The iterator of `for await`: one get, take or receive after the other, until the stream ends. */
class ValueIterator {
  #operation;
  #options;
  #failed = (error) => {
    this._owner = undefined;
    if (error?.status !== this.#operation.end) throw error;
    return { value: undefined, done: true };
  };

  constructor(owner, operation, options) {
    this._owner = owner; // undefined: the stream has ended
    this.#operation = operation;
    this.#options = options;
  }

  next() {
    if (this._owner === undefined) return Promise.resolve({ value: undefined, done: true });
    return performNext(this._owner, this.#operation, this.#options, this.#failed);
  }

  async return(value) {
    this._owner = undefined;
    return { value, done: true };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

module.exports = { ValueIterator };
