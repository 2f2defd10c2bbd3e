'use strict';

/** A lock that is held. */
class Held {
  #lock;
  #releasing;

  /** `releasing`: what its release is given */
  constructor(lock, ownerDied, releasing) {
    this.#lock = lock;
    this.#releasing = releasing;
    this.ownerDied = ownerDied;
  }

  release() {
    this.#lock.release(this.#releasing);
  }
}
if (Symbol.dispose) {
  Held.prototype[Symbol.dispose] = Held.prototype.release;
}

module.exports = { Held };
