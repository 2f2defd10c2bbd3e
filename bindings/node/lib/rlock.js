'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');
const { check } = require('./errors.js');
const { Held, noteHeld, noteReleased } = require('./held.js');
const { constants, native, status } = require('./native.js');
const { SharedObject, createPlain } = require('./object.js');
const { NAMES, readFunction, readInteger, readOptions } = require('./options.js');
const { HANDLE, KIND } = require('./symbols.js');
const { Operation } = require('./wait/operation.js');
const { perform } = require('./wait/perform.js');

// In Python a thread owns an RLock. Here all tasks run on one thread, so the task is the owner: the
// code that runs in a `hold`, with all that it awaits. Outside of any `hold` the owner is this
// thread of JavaScript.
const tasks = new AsyncLocalStorage();
const thread = native.rlockNewOwner();

/** Returns the owner in the options, else the task's. */
function readOwner(options, names) {
  if (options === undefined) return tasks.getStore() ?? thread;
  const { owner = tasks.getStore() ?? thread } = readOptions(options, names);
  return readInteger(owner, 'owner', owner < 0 ? Number.MIN_SAFE_INTEGER : 1);
}

function heldOf(rlock, answer, owner) {
  check(answer, 'acquire');
  noteHeld(rlock);
  return new Held(rlock, answer === status.OWNER_DIED, { owner });
}

const acquire = new Operation({
  code: constants.WAIT_RLOCK,
  begin: (handle, owner, code) => native.wait(handle, code, undefined, owner),
  direction: 0,
  barges: true, // its owner must not stand behind those that wait for it
  late: status.E_TIMEOUT,
  what: 'acquire',
  options: NAMES.ownedWait,
  attempt: native.rlockAcquire,
  atOnce: heldOf,
  later: heldOf,
});

class RLock extends SharedObject {
  static [KIND] = constants.RLOCK;

  static create(options = {}) {
    return createPlain(RLock, options);
  }

  tryAcquire(options) {
    const owner = readOwner(options, NAMES.owner);
    const answer = native.rlockAcquire(this[HANDLE], owner);
    return answer === status.E_TIMEOUT ? undefined : heldOf(this, answer, owner);
  }

  async acquire(options) {
    return perform(this, acquire, readOwner(options, NAMES.ownedWait), options);
  }

  release(options) {
    check(native.rlockRelease(this[HANDLE], readOwner(options, NAMES.owner)), 'release');
    noteReleased(this);
  }

  async hold(work, options) {
    readFunction(work, 'work');
    const owner = options?.owner === undefined ? (tasks.getStore() ?? native.rlockNewOwner()) : readOwner(options, NAMES.ownedWait);
    const held = await perform(this, acquire, owner, options);
    try {
      return await tasks.run(owner, work, held);
    } finally {
      held.release();
    }
  }

  get depth() {
    return check(native.rlockDepth(this[HANDLE]), 'depth');
  }
}

module.exports = { RLock, readOwner };
