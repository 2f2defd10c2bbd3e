'use strict';

const { perform } = require('./wait/perform.js');

/** The iterator of `for await`: one get, take or receive after the other, until the stream ends. */
class ValueIterator {
  #operation;
  #options;

  constructor(owner, operation, options) {
    this._owner = owner; // undefined: the stream has ended
    this.#operation = operation;
    this.#options = options;
  }

  async next() {
    if (this._owner === undefined) return { value: undefined, done: true };
    try {
      return { value: await perform(this._owner, this.#operation, undefined, this.#options), done: false };
    } catch (error) {
      this._owner = undefined;
      if (error?.status !== this.#operation.end) throw error;
      return { value: undefined, done: true };
    }
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
