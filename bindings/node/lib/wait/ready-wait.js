'use strict';

// A wait until an object is ready. It takes nothing from the object.

const { PolyprocError } = require('../errors.js');
const { readWait } = require('../options.js');
const { READINESS } = require('../symbols.js');
const { Wait } = require('./wait.js');

class ReadyWait extends Wait {
  #listener = (code) => this.#look(code);
  #isReady;

  constructor(owner, what, isReady, how, resolve, reject) {
    super(owner, { what }, undefined, how, resolve, reject);
    this.#isReady = isReady;
  }

  begin() {
    const readiness = this.owner[READINESS];
    const answer = readiness.start();
    if (answer < 0) {
      this.reject(new PolyprocError(answer, this.operation.what));
      return;
    }
    readiness.addListener(this.#listener);
    this.startLimits();
  }

  #end(settle, result) {
    this.endLimits();
    this.owner[READINESS].removeListener(this.#listener);
    settle(result);
  }

  #look(code) {
    try {
      if (code !== undefined) throw new PolyprocError(code, this.operation.what);
      if (this.#isReady()) this.#end(this.resolve, true);
    } catch (error) {
      this.#end(this.reject, error);
    }
  }

  expire() {
    this.#end(this.resolve, false);
  }

  cancel(reason) {
    this.#end(this.reject, reason);
  }
}

/**
 * Resolves to true once `isReady`, called at each report of the object, is true; to false when the
 * time is over.
 */
function untilReady(owner, what, isReady, options) {
  const how = readWait(options);
  if (isReady()) return true;
  if (how.timeout <= 0) return false;
  return new Promise((resolve, reject) => new ReadyWait(owner, what, isReady, how, resolve, reject).begin());
}

module.exports = { untilReady };
