'use strict';

const { check, checkMade, PolyprocError } = require('./errors.js');
const { codecOf, readFormat } = require('./format.js');
const { constants, native, status } = require('./native.js');
const { Message } = require('./message.js');
const { SharedObject, TOKEN, made, readCreate } = require('./object.js');
const { NAMES, readBoolean, readInteger, readOptions, typeError } = require('./options.js');
const { CODEC, attemptPutMany, operations } = require('./queue-operations.js');
const { checkSlab } = require('./slab.js');
const { ValueIterator } = require('./iterator.js');
const { putAll } = require('./put-many.js');
const { HANDLE, KIND, ROOM, WAITABLE } = require('./symbols.js');
const { perform } = require('./wait/perform.js');
const { queueSource } = require('./wait/queue-source.js');
const { waitByThread } = require('./wait/thread-wait.js');
const { isReadyFor, polledItem } = require('./wait/waitable.js');

const UINT32_MAX = 2 ** 32 - 1;
/** How a message stands, by the number of the C API. */
const STATES = ['', 'waiting', 'leased', 'done', 'dead', 'discarded', 'unknown'];

/**
 * Returns the bytes of each value, in an array of its own: that of the program may change, or run
 * code when it is read.
 */
function encodeAll(values, { encodeOwn }) {
  if (!Array.isArray(values)) throw typeError('values', 'an array', values);
  const items = new Array(values.length);
  for (let i = 0; i < items.length; i++) items[i] = encodeOwn(values[i]);
  return items;
}

/** The limit for one native call. */
function readMax(max) {
  return Math.min(readInteger(max, 'max', 1), constants.BATCH_MAX);
}

class Queue extends SharedObject {
  static [KIND] = constants.QUEUE;

  constructor(token, handle, name) {
    super(token, handle, name, queueSource);
    const info = this.info();
    this[CODEC] = codecOf(info.format);
    Object.defineProperty(this, 'format', { value: info.format, enumerable: true });
    Object.defineProperty(this, 'joinable', { value: info.joinable, enumerable: true });
  }

  static create(options = {}) {
    const { name, flags, mode } = readCreate(options, NAMES.queue);
    const { joinable = false, maxItems = 0, maxBytes = 0, maxDeliveries = 0, spinNs = 0, format = '' } = options;
    const handle = native.createQueue(
      name,
      flags | (readBoolean(joinable, 'joinable') ? constants.JOINABLE : 0),
      mode,
      readInteger(maxItems, 'maxItems'),
      readInteger(maxBytes, 'maxBytes'),
      readInteger(maxDeliveries, 'maxDeliveries', 0, UINT32_MAX),
      readInteger(spinNs, 'spinNs', 0, UINT32_MAX),
      readFormat(format),
    );
    return made(Queue, handle, name);
  }

  tryPut(value) {
    const answer = native.queuePut(this[HANDLE], this[CODEC].encode(value));
    if (answer === undefined) return true;
    if (answer !== status.E_FULL) check(answer, 'put');
    return false;
  }

  put(value, options) {
    let bytes;
    try {
      bytes = this[CODEC].encode(value);
    } catch (error) {
      return Promise.reject(error);
    }
    return perform(this, operations.put, bytes, options);
  }

  tryPutId(value) {
    const answer = native.queuePutId(this[HANDLE], this[CODEC].encode(value));
    if (typeof answer === 'bigint') return answer;
    if (answer !== status.E_FULL) check(answer, 'put');
    return undefined;
  }

  settled(id) {
    if (typeof id !== 'bigint') throw typeError('id', 'a bigint', id);
    return STATES[check(native.queueSettled(this[HANDLE], id), 'settled')];
  }

  settledCount() {
    return check(native.queueSettledCount(this[HANDLE]), 'settledCount');
  }

  tryPutMany(values) {
    const items = encodeAll(values, this[CODEC]);
    let put = 0;
    while (put < items.length) {
      const answer = attemptPutMany(this[HANDLE], items, put);
      if (answer < 0) {
        // The messages before this one stay put; the next call reports why no more could be put.
        if (answer !== status.E_FULL && put === 0) check(answer, 'putMany');
        break;
      }
      put += answer;
      if (answer < constants.BATCH_MAX) break;
    }
    return put;
  }

  putMany(values, options) {
    let items;
    try {
      items = encodeAll(values, this[CODEC]);
    } catch (error) {
      return Promise.reject(error);
    }
    return putAll(this, items, options);
  }

  tryGet() {
    const answer = operations.get.attempt(this[HANDLE]);
    return answer === status.E_EMPTY ? undefined : operations.get.atOnce(this, answer);
  }

  get(options) {
    return perform(this, operations.get, undefined, options);
  }

  tryGetMany(max) {
    const answer = operations.getMany.attempt(this[HANDLE], readMax(max));
    return answer === status.E_EMPTY ? [] : operations.getMany.atOnce(this, answer);
  }

  getMany(max, options) {
    let most;
    try {
      most = readMax(max);
    } catch (error) {
      return Promise.reject(error);
    }
    return perform(this, operations.getMany, most, options);
  }

  tryTake() {
    const answer = operations.take.attempt(this[HANDLE]);
    return answer === status.E_EMPTY ? undefined : operations.take.atOnce(this, answer);
  }

  take(options) {
    return perform(this, operations.take, undefined, options);
  }

  tryTakeMany(max) {
    const answer = operations.takeMany.attempt(this[HANDLE], readMax(max));
    return answer === status.E_EMPTY ? [] : operations.takeMany.atOnce(this, answer);
  }

  async takeMany(max, options) {
    return perform(this, operations.takeMany, readMax(max), options);
  }

  takeDead() {
    checkSlab();
    const answer = native.queueTakeDead(this[HANDLE]);
    if (answer === status.E_EMPTY) return undefined;
    check(answer, 'takeDead');
    return new Message(TOKEN, this[CODEC], 0);
  }

  tryReserve(length) {
    const answer = native.queueReserve(this[HANDLE], readInteger(length, 'length'));
    return answer === status.E_FULL ? undefined : operations.reserve.atOnce(this, answer, length);
  }

  async reserve(length, options) {
    return perform(this, operations.reserve, readInteger(length, 'length'), options);
  }

  taskDone() {
    check(native.queueTaskDone(this[HANDLE]), this.joinable ? 'taskDone' : 'taskDone of a queue that is not joinable');
  }

  join(options) {
    return perform(this, operations.join, undefined, options);
  }

  shutdown(options = {}) {
    const { immediate = false } = readOptions(options, NAMES.shutdown);
    check(native.queueShutdown(this[HANDLE], readBoolean(immediate, 'immediate') ? 1 : 0), 'shutdown');
  }

  get length() {
    return check(native.queueLength(this[HANDLE]), 'length');
  }

  get isEmpty() {
    return check(native.queueIsEmpty(this[HANDLE]), 'isEmpty') === 1;
  }

  get isFull() {
    return check(native.queueIsFull(this[HANDLE]), 'isFull') === 1;
  }

  info() {
    return checkMade(native.queueInfo(this[HANDLE]), 'info');
  }

  [WAITABLE]() {
    return polledItem(this, () => isReadyFor(this, constants.READY_GET));
  }

  [ROOM]() {
    const isReady = () => isReadyFor(this, constants.READY_PUT);
    return { isReady, wait: (how) => waitByThread(this, operations.room, undefined, how) };
  }

  values(options) {
    return new ValueIterator(this, operations.get, options);
  }

  messages(options) {
    return new ValueIterator(this, operations.take, options);
  }

  [Symbol.asyncIterator]() {
    return this.values();
  }
}

module.exports = { Queue };
