'use strict';

const { check } = require('./errors.js');
const { Held, noteHeld, noteReleased } = require('./held.js');
const { constants, native, numbers, status, LOAN } = require('./native.js');
const { SharedObject, createPlain, made, readCreate } = require('./object.js');
const { NAMES, readBoolean, readInteger, readFunction } = require('./options.js');
const { HANDLE, KIND, WAITABLE } = require('./symbols.js');
const { Operation } = require('./wait/operation.js');
const { perform } = require('./wait/perform.js');

function heldOf(lock, answer) {
  check(answer, 'acquire');
  noteHeld(lock);
  return new Held(lock, answer === status.OWNER_DIED);
}

const acquireLock = new Operation({
  code: constants.WAIT_LOCK,
  direction: 0,
  late: status.E_TIMEOUT,
  what: 'acquire',
  attempt: native.lockAcquire,
  atOnce: heldOf,
  later: heldOf,
});

class Lock extends SharedObject {
  static [KIND] = constants.LOCK;

  static create(options = {}) {
    return createPlain(Lock, options);
  }

  tryAcquire() {
    const answer = native.lockAcquire(this[HANDLE]);
    return answer === status.E_TIMEOUT ? undefined : heldOf(this, answer);
  }

  acquire(options) {
    return perform(this, acquireLock, undefined, options);
  }

  release() {
    check(native.lockRelease(this[HANDLE]), 'release');
    noteReleased(this);
  }

  async hold(work, options) {
    readFunction(work, 'work');
    const held = await this.acquire(options);
    try {
      return await work(held);
    } finally {
      this.release();
    }
  }

  get isLocked() {
    return check(native.lockIsLocked(this[HANDLE]), 'isLocked') === 1;
  }
}

function checkAcquire(semaphore, answer) {
  check(answer, 'acquire');
  noteHeld(semaphore);
}

const acquireSemaphore = new Operation({
  code: constants.WAIT_SEMAPHORE,
  direction: 0,
  late: status.E_TIMEOUT,
  what: 'acquire',
  attempt: native.semaphoreAcquire,
  atOnce: checkAcquire,
  later: checkAcquire,
});

class Semaphore extends SharedObject {
  static [KIND] = constants.SEMAPHORE;

  static create(options = {}) {
    const { name, flags, mode } = readCreate(options, NAMES.semaphore);
    const { initial = 1, maximum = 0, owned = false } = options;
    const handle = native.createSemaphore(
      name,
      flags | (readBoolean(owned, 'owned') ? constants.OWNED : 0),
      mode,
      readInteger(initial, 'initial'),
      readInteger(maximum, 'maximum'),
    );
    const isOver = maximum > 0 && initial > maximum;
    if (isOver) check(handle, `create Semaphore with initial ${initial} over maximum ${maximum}`);
    return made(Semaphore, handle, name);
  }

  tryAcquire() {
    const answer = native.semaphoreAcquire(this[HANDLE]);
    if (answer === status.E_TIMEOUT) return false;
    checkAcquire(this, answer);
    return true;
  }

  acquire(options) {
    return perform(this, acquireSemaphore, undefined, options);
  }

  release(permits = 1) {
    check(native.semaphoreRelease(this[HANDLE], readInteger(permits, 'permits', 1)), 'release');
    noteReleased(this, permits);
  }

  get value() {
    return check(native.semaphoreValue(this[HANDLE]), 'value');
  }
}

function checkWait(event, answer) {
  check(answer, 'wait');
}

const waitEvent = new Operation({
  code: constants.WAIT_EVENT,
  // The wait counts from the mark of the attempt, though its thread begins to wait later.
  begin: (handle, argument, code) => native.wait(handle, code, undefined, numbers[LOAN]),
  direction: 0,
  barges: true,
  late: status.E_TIMEOUT,
  what: 'wait',
  attempt: native.eventWait,
  atOnce: checkWait,
  later: checkWait,
});

class Event extends SharedObject {
  static [KIND] = constants.EVENT;

  static create(options = {}) {
    return createPlain(Event, options);
  }

  set() {
    check(native.eventSet(this[HANDLE]), 'set');
  }

  clear() {
    check(native.eventClear(this[HANDLE]), 'clear');
  }

  get isSet() {
    return check(native.eventIsSet(this[HANDLE]), 'isSet') === 1;
  }

  wait(options) {
    return perform(this, waitEvent, undefined, options);
  }

  [WAITABLE]() {
    return { isReady: () => this.isSet, wait: (how) => this.wait(how) };
  }
}

module.exports = { Event, Lock, Semaphore };
