'use strict';

/** A lock that is held. */
class Held {
  #releasing;

  /** `releasing`: what its release is given */
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

// An object that is collected is closed, and what this process holds of it given back: so it is not collected meanwhile.
const holding = new Map(); // object -> how often

function noteHeld(object) {
  holding.set(object, (holding.get(object) ?? 0) + 1);
}

/** Another process may have released what was held here; then it is kept until it is closed. */
function noteReleased(object, times = 1) {
  const left = (holding.get(object) ?? 0) - times;
  if (left > 0) holding.set(object, left);
  else holding.delete(object);
}

module.exports = { Held, noteHeld, noteReleased };
