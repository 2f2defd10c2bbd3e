'use strict';

const { check } = require('./errors.js');
const { Held } = require('./held.js');
const { constants, native, status } = require('./native.js');
const { SharedObject, createPlain } = require('./object.js');
const { NAMES, readFunction, readInteger, readWait, typeError } = require('./options.js');
const { Lock } = require('./primitives.js');
const { RLock, readOwner } = require('./rlock.js');
const { HANDLE, KIND } = require('./symbols.js');
const { Operation } = require('./wait/operation.js');
const { perform } = require('./wait/perform.js');

const UINT32_MAX = 2 ** 32 - 1;

// Before the wait ends, in whatever way, it takes the lock again. That may block, so a thread
// waits.
const waiting = {
  code: constants.WAIT_CONDITION,
  begin: (handle, { lock, owner }, code) => native.wait(handle, code, lock[HANDLE], owner),
  late: status.E_TIMEOUT,
  what: 'wait',
  later: (condition, answer, { lock, releasing }) =>
    new Held(lock, check(answer, 'wait') === status.OWNER_DIED, releasing),
};
const wait = new Operation(waiting);
const waitAsOwner = new Operation({ ...waiting, options: NAMES.ownedWait });

class Condition extends SharedObject {
  static [KIND] = constants.CONDITION;

  static create(options = {}) {
    return createPlain(Condition, options);
  }

  async wait(lock, options) {
    if (lock instanceof Lock) return perform(this, wait, { lock, owner: 0, releasing: undefined }, options);
    if (!(lock instanceof RLock)) throw typeError('lock', 'a Lock or an RLock', lock);
    const owner = readOwner(options, NAMES.ownedWait);
    return perform(this, waitAsOwner, { lock, owner, releasing: { owner } }, options);
  }

  async waitFor(lock, predicate, options) {
    readFunction(predicate, 'predicate');
    const { timeout } = readWait(options, lock instanceof RLock ? NAMES.ownedWait : NAMES.wait);
    const deadline = performance.now() + timeout;
    for (;;) {
      const result = await predicate();
      if (result) return result;
      await this.wait(lock, { ...options, timeout: deadline - performance.now() });
    }
  }

  notify(n = 1) {
    check(native.conditionNotify(this[HANDLE], readInteger(n, 'n', 0, UINT32_MAX)), 'notify');
  }

  notifyAll() {
    check(native.conditionNotifyAll(this[HANDLE]), 'notifyAll');
  }
}

module.exports = { Condition };
