'use strict';

/** A lock that is held. */
class Held {
  #releasing;

  /** `releasing`: the arguments for its release */
  constructor(lock, ownerDied, releasing) {
    this._lock = lock;
    this.#releasing = releasing;
    this.ownerDied = ownerDied;
  }

  release() {
    this._lock.release(this.#releasing);
  }
}
if (Symbol.dispose) {
  Held.prototype[Symbol.dispose] = Held.prototype.release;
}

// A collected object is closed, and its locks and permits are given back: so keep it while it holds
// some.
const holding = new Map(); // object -> how often

function noteHeld(object) {
  holding.set(object, (holding.get(object) ?? 0) + 1);
}

/**
 * Another process may have released the lock that is held here; then the object is kept until its
 * close.
 */
function noteReleased(object, times = 1) {
  const left = (holding.get(object) ?? 0) - times;
  if (left > 0) holding.set(object, left);
  else holding.delete(object);
}

module.exports = { Held, noteHeld, noteReleased };
