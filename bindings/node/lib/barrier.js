'use strict';

const { check } = require('./errors.js');
const { constants, native, numbers, status, LOAN, OFFSET } = require('./native.js');
const { SharedObject, made, readCreate } = require('./object.js');
const { NAMES, readBoolean, readFunction, readInteger, readOptions } = require('./options.js');
const { HANDLE, KIND } = require('./symbols.js');
const { Operation } = require('./wait/operation.js');
const { perform } = require('./wait/perform.js');

function indexOf(barrier, answer) {
  check(answer, 'wait');
  return numbers[LOAN];
}

const meeting = {
  late: status.E_TIMEOUT,
  isBinding: true, // a party that arrives and does not wait breaks the barrier, unless it is the last one
};
const wait = new Operation({
  ...meeting,
  code: constants.WAIT_BARRIER,
  what: 'wait',
  attempt: native.barrierWait,
  atOnce: indexOf,
  later: indexOf,
});
const arriving = (what) => {
  const partyOf = (barrier, answer) => {
    check(answer, what);
    return { index: numbers[LOAN], isLeader: numbers[OFFSET] === 1 };
  };
  const code = constants.WAIT_ARRIVE;
  return new Operation({ ...meeting, code, what, attempt: native.barrierArrive, atOnce: partyOf, later: partyOf });
};
const arrive = arriving('arrive');
const arriveForWait = arriving('wait');

class Barrier extends SharedObject {
  static [KIND] = constants.BARRIER;

  static create(parties, options = {}) {
    readInteger(parties, 'parties', 1, constants.PARTIES_MAX);
    const { name, flags, mode } = readCreate(options);
    const handle = native.createBarrier(name, flags, mode, parties);
    return made(Barrier, handle, name);
  }

  async wait(options) {
    if (options === undefined) return perform(this, wait, undefined, options);
    const { action, ...how } = readOptions(options, NAMES.barrierWait);
    if (action === undefined) return perform(this, wait, undefined, how);
    readFunction(action, 'action');
    const { index, isLeader } = await perform(this, arriveForWait, undefined, how);
    if (isLeader) await this.#act(action);
    return index;
  }

  /** The other parties are held meanwhile. */
  async #act(action) {
    try {
      await action();
    } catch (error) {
      if (!this.closed) native.barrierComplete(this[HANDLE], 0);
      throw error;
    }
    check(native.barrierComplete(this[HANDLE], 1), 'wait');
  }

  arrive(options) {
    return perform(this, arrive, undefined, options);
  }

  complete(ok = true) {
    check(native.barrierComplete(this[HANDLE], readBoolean(ok, 'ok') ? 1 : 0), 'complete');
  }

  abort() {
    check(native.barrierAbort(this[HANDLE]), 'abort');
  }

  reset() {
    check(native.barrierReset(this[HANDLE]), 'reset');
  }

  get parties() {
    return check(native.barrierParties(this[HANDLE]), 'parties');
  }

  get waiting() {
    return check(native.barrierWaiting(this[HANDLE]), 'waiting');
  }

  get isBroken() {
    return check(native.barrierIsBroken(this[HANDLE]), 'isBroken') === 1;
  }
}

module.exports = { Barrier };
