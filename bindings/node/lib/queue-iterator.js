'use strict';

const { status } = require('./native.js');
const { perform } = require('./wait.js');

/** What `for await` runs over: one get or take after the other, until the queue is shut down and drained. */
class QueueIterator {
  #queue;
  #operation;
  #options;

  constructor(queue, operation, options) {
    this.#queue = queue;
    this.#operation = operation;
    this.#options = options;
  }

  async next() {
    if (this.#queue === undefined) return { value: undefined, done: true };
    try {
      return { value: await perform(this.#queue, this.#operation, undefined, this.#options), done: false };
    } catch (error) {
      this.#queue = undefined;
      if (error?.status !== status.E_SHUTDOWN) throw error;
      return { value: undefined, done: true };
    }
  }

  async return(value) {
    this.#queue = undefined;
    return { value, done: true };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

module.exports = { QueueIterator };
