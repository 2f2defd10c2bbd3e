'use strict';

const { check, checkMade } = require('./errors.js');
const { codecOf, readFormat } = require('./format.js');
const { ValueIterator } = require('./iterator.js');
const { constants, native, status } = require('./native.js');
const { SharedObject, TOKEN } = require('./object.js');
const { NAMES, readBoolean, readInteger, readOptions, readString } = require('./options.js');
const { reader } = require('./slab.js');
const { HANDLE, KIND, WAITABLE } = require('./symbols.js');
const { Operation } = require('./wait/operation.js');
const { perform } = require('./wait/perform.js');
const { untilReady } = require('./wait/ready-wait.js');
const { ThreadWait } = require('./wait/thread-wait.js');
const { polledItem } = require('./wait/waitable.js');

const CODEC = Symbol('codec');
const SENDS = 0;
const RECEIVES = 1;
const FD_MAX = 2 ** 31 - 1;
// A longer message is handed over step by step while both sides are in their calls.
const LONGEST_AT_ONCE = 2 ** 20 - 8;

function checkSend(connection, answer) {
  check(answer, 'send');
}

const send = new Operation({
  code: constants.WAIT_SEND,
  direction: SENDS,
  late: status.E_TIMEOUT,
  what: 'send',
  attempt: (handle, bytes) => native.connectionSend(handle, bytes),
  atOnce: checkSend,
  later: checkSend,
});

function valueOf(connection, answer) {
  return connection[CODEC].decode(typeof answer === 'number' ? check(answer, 'recv') : answer);
}

const recvLong = new Operation({
  code: constants.WAIT_RECV,
  direction: RECEIVES,
  late: status.E_TIMEOUT,
  what: 'recv',
  later: valueOf,
});

const recv = new Operation({
  polled: true,
  late: status.E_TIMEOUT,
  what: 'recv',
  attempt: reader(native.connectionRecv, native.connectionRecvInto, LONGEST_AT_ONCE),
  atOnce: valueOf,
  later: valueOf,
  elsewhere: status.E_TOO_SMALL,
  /** A thread completes the receive; the waits behind it go on when the thread has the message. */
  finish({ owner, timeout, deadline, signal, resolve, reject }, readiness) {
    readiness.pause();
    const settled = (settle) => (result) => {
      settle(result);
      readiness.resume();
    };
    const left = deadline === Infinity ? timeout : deadline - performance.now();
    new ThreadWait(owner, recvLong, undefined, { timeout: left, signal }, settled(resolve), settled(reject)).begin();
  },
  end: status.E_EOF,
});

const recvWhole = reader(native.connectionRecv, native.connectionRecvInto);

class Connection extends SharedObject {
  static [KIND] = constants.CONNECTION;
  static open = undefined; // it has no name

  constructor(token, handle, format) {
    super(token, handle, undefined);
    this[CODEC] = codecOf(format);
    Object.defineProperty(this, 'format', { value: format, enumerable: true });
  }

  static inherited(name, options = {}) {
    const format = readFormat(readOptions(options, NAMES.format).format);
    const handle = native.inherited(constants.CONNECTION, readString(name, 'name'));
    return new Connection(TOKEN, checkMade(handle, `inherited Connection "${name}"`), format);
  }

  static fromFd(fd, options = {}) {
    const format = readFormat(readOptions(options, NAMES.format).format);
    const handle = native.fromFd(constants.CONNECTION, readInteger(fd, 'fd', 0, FD_MAX));
    return new Connection(TOKEN, checkMade(handle, `Connection from descriptor ${fd}`), format);
  }

  trySend(value) {
    const answer = native.connectionSend(this[HANDLE], this[CODEC].encode(value));
    if (answer === undefined) return true;
    if (answer !== status.E_TIMEOUT) check(answer, 'send');
    return false;
  }

  async send(value, options) {
    return perform(this, send, this[CODEC].encode(value), options);
  }

  tryRecv() {
    const answer = recvWhole(this[HANDLE]);
    return answer === status.E_TIMEOUT ? undefined : valueOf(this, answer);
  }

  recv(options) {
    return perform(this, recv, undefined, options);
  }

  tryPoll() {
    const answer = native.connectionPoll(this[HANDLE]);
    return answer !== status.E_TIMEOUT && check(answer, 'poll') >= 0;
  }

  async poll(options) {
    return untilReady(this, 'poll', () => this.tryPoll(), options);
  }

  [WAITABLE]() {
    return polledItem(this, () => this.tryPoll());
  }

  values(options) {
    return new ValueIterator(this, recv, options);
  }

  [Symbol.asyncIterator]() {
    return this.values();
  }
}

function pipe(options = {}) {
  const { duplex = true, format } = readOptions(options, NAMES.pipe);
  const label = readFormat(format);
  const ends = checkMade(native.pipeCreate(readBoolean(duplex, 'duplex') ? 1 : 0), 'pipe');
  return ends.map((end) => new Connection(TOKEN, end, label));
}

module.exports = { Connection, pipe };
