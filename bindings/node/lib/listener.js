'use strict';

// Connections over sockets, in the protocol of Python's multiprocessing.connection.

const { checkMade } = require('./errors.js');
const { Connection } = require('./connection.js');
const { readFormat } = require('./format.js');
const { ValueIterator } = require('./iterator.js');
const { constants, native, status } = require('./native.js');
const { TOKEN } = require('./object.js');
const { NAMES, rangeError, readBoolean, readInteger, readMilliseconds, readOptions, readString, typeError } = require('./options.js');
const { HANDLE, READINESS, WAITABLE } = require('./symbols.js');
const { Operation } = require('./wait/operation.js');
const { perform } = require('./wait/perform.js');
const { isReadyFor, makeWaitable, polledItem } = require('./wait/waitable.js');

const BACKLOG_MAX = 4096;
const MESSAGE_MAX = 2 ** 32 - 1;
const IS_PUBLIC = 1;
const NO_MD5 = 2;

function readKey(authkey) {
  if (authkey === undefined) return undefined;
  const key = typeof authkey === 'string' ? Buffer.from(authkey) : authkey;
  if (!ArrayBuffer.isView(key)) throw typeError('authkey', 'a string or bytes', authkey);
  if (key.byteLength === 0) throw rangeError('authkey', 'at least a byte', 'empty');
  return key;
}

/** Returns the arguments for the native side: the address and the options of the handshake. */
function readPeer(address, options, names) {
  const { authkey, backlog = 0, handshakeTimeout, maxMessage = 0, allowMd5 = true, isPublic = false } = readOptions(options, names);
  return [
    readString(address, 'address'),
    readKey(authkey),
    readInteger(backlog, 'backlog', 0, BACKLOG_MAX),
    handshakeTimeout === undefined ? 0 : readMilliseconds(handshakeTimeout, 'handshakeTimeout'),
    readInteger(maxMessage, 'maxMessage', 0, MESSAGE_MAX),
    (readBoolean(isPublic, 'isPublic') ? IS_PUBLIC : 0) | (readBoolean(allowMd5, 'allowMd5') ? 0 : NO_MD5),
  ];
}

const ADDRESS = /^(tcp:\/\/.+:\d+|unix:.+)$/;

/** Returns the address as errors show it. */
function shown(address) {
  return ADDRESS.test(address) ? address : `"${address}", which is not tcp://HOST:PORT, unix:/path or unix:@name`;
}

function connectionOf(listener, answer) {
  return new Connection(TOKEN, checkMade(answer, 'accept'), listener.format);
}

const accept = new Operation({
  polled: true,
  late: status.E_TIMEOUT,
  what: 'accept',
  attempt: native.listenerAccept,
  atOnce: connectionOf,
  end: status.E_CLOSED,
});

class Listener {
  #closed = false;

  constructor(token, handle, format) {
    if (token !== TOKEN) throw new TypeError('use Listener.create');
    makeWaitable(this, handle);
    this.format = format;
    this.address = native.listenerAddress(handle);
  }

  static create(address, options = {}) {
    const peer = readPeer(address, options, NAMES.listener);
    const format = readFormat(options.format);
    return new Listener(TOKEN, checkMade(native.listenerCreate(...peer), `listen at ${shown(address)}`), format);
  }

  tryAccept() {
    const answer = native.listenerAccept(this[HANDLE]);
    return answer === status.E_TIMEOUT ? undefined : connectionOf(this, answer);
  }

  accept(options) {
    return perform(this, accept, undefined, options);
  }

  /** Accepts until the listener is closed. */
  connections(options) {
    return new ValueIterator(this, accept, options);
  }

  [Symbol.asyncIterator]() {
    return this.connections();
  }

  [WAITABLE]() {
    return polledItem(this, () => isReadyFor(this, constants.READY_LISTENER));
  }

  get closed() {
    return this.#closed;
  }

  close() {
    this.#closed = true;
    this[READINESS].fail(status.E_CLOSED);
    native.close(this[HANDLE]);
  }
}
if (Symbol.dispose) {
  Listener.prototype[Symbol.dispose] = Listener.prototype.close;
}

const connecting = new Operation({
  code: constants.WAIT_CONNECT,
  begin: (handle, { peer }, code) => native.wait(undefined, code, peer),
  late: status.E_TIMEOUT,
  what: 'connect',
  options: NAMES.connect,
  later: (owner, answer, { address, format }) => new Connection(TOKEN, checkMade(answer, `connect to ${shown(address)}`), format),
});

async function connect(address, options = {}) {
  const peer = readPeer(address, options, NAMES.connect);
  return perform(undefined, connecting, { peer, address, format: readFormat(options.format) }, options);
}

module.exports = { Listener, connect };
