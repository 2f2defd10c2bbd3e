'use strict';

// Waiting until something is ready, without doing it.

const { PolyprocError } = require('./errors.js');
const { readWait } = require('./options.js');
const { LINE } = require('./symbols.js');
const { Waiting } = require('./waiting.js');

class Watch extends Waiting {
  #watcher = (code) => this.#look(code);
  #isReady;

  constructor(owner, what, isReady, how, resolve, reject) {
    super(owner, { what }, undefined, how, resolve, reject);
    this.#isReady = isReady;
  }

  begin() {
    const line = this.owner[LINE];
    const watched = line.watch();
    if (watched < 0) {
      this.reject(new PolyprocError(watched, this.operation.what));
      return;
    }
    line.addWatcher(this.#watcher);
    this.watch();
  }

  #end(settle, result) {
    this.unwatch();
    this.owner[LINE].removeWatcher(this.#watcher);
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

/** Resolves to true once `isReady`, asked whenever the object's descriptor says so; to false when the time is over. */
function watch(owner, what, isReady, options) {
  const how = readWait(options);
  if (isReady()) return true;
  if (how.timeout <= 0) return false;
  return new Promise((resolve, reject) => new Watch(owner, what, isReady, how, resolve, reject).begin());
}

module.exports = { watch };
