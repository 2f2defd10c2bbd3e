'use strict';

const { perform } = require('./wait.js');

/** What `for await` runs over: one get, take or receive after the other, until the stream ends. */
class ValueIterator {
  #owner;
  #operation;
  #options;

  constructor(owner, operation, options) {
    this.#owner = owner;
    this.#operation = operation;
    this.#options = options;
  }

  async next() {
    if (this.#owner === undefined) return { value: undefined, done: true };
    try {
      return { value: await perform(this.#owner, this.#operation, undefined, this.#options), done: false };
    } catch (error) {
      this.#owner = undefined;
      if (error?.status !== this.#operation.end) throw error;
      return { value: undefined, done: true };
    }
  }

  async return(value) {
    this.#owner = undefined;
    return { value, done: true };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

module.exports = { ValueIterator };
