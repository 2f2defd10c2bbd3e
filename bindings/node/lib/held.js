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

// When an object is collected it is closed, which gives its locks and permits back. So keep an
// object while it holds a lock or a permit.
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
