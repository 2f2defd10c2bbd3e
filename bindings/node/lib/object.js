'use strict';

// What queue, lock, semaphore and event have in common: a handle of the native side, and how it is come by.

const { check, checkMade, PolyprocError } = require('./errors.js');
const { constants, native, status } = require('./native.js');
const { readBoolean, readInteger, readObject, readString } = require('./options.js');

const HANDLE = Symbol('handle');
const LINES = Symbol('lines'); // the waits on it, one line per direction
const NAME = Symbol('name');
const KIND = Symbol('kind'); // of a class: constants.QUEUE, ...

const MODE_MAX = 0o777;
const FD_MAX = 2 ** 31 - 1;

/** Only the library itself makes objects of its classes. */
const TOKEN = Symbol('polyproc');

class SharedObject {
  #closed = false;

  constructor(token, handle, name) {
    if (token !== TOKEN) throw new TypeError(`use ${new.target.name}.create, open or inherited`);
    this[HANDLE] = handle;
    this[NAME] = name;
    this[LINES] = [{ length: 0 }, { length: 0 }, { length: 0 }];
  }

  static open(name) {
    const handle = native.open(this[KIND], readString(name, 'name'));
    return new this(TOKEN, checkMade(handle, `open ${this.name} "${name}"`), name);
  }

  static inherited(name) {
    const handle = native.inherited(this[KIND], readString(name, 'name'));
    return new this(TOKEN, checkMade(handle, `inherited ${this.name} "${name}"`), undefined);
  }

  static fromFd(fd) {
    const handle = native.fromFd(this[KIND], readInteger(fd, 'fd', 0, FD_MAX));
    return new this(TOKEN, checkMade(handle, `${this.name} from descriptor ${fd}`), undefined);
  }

  get name() {
    return this[NAME];
  }

  get closed() {
    return this.#closed;
  }

  close() {
    this.#closed = true;
    native.close(this[HANDLE]);
  }

  shareFd() {
    return check(native.shareFd(this[HANDLE]), 'shareFd');
  }
}
if (Symbol.dispose) {
  SharedObject.prototype[Symbol.dispose] = SharedObject.prototype.close;
}

/** `{ name, flags, mode }` for the native side. */
function readCreate(options) {
  const { name, mode = 0, openOrCreate = false } = readObject(options);
  if (name !== undefined) readString(name, 'name');
  if (name === '') throw new PolyprocError(status.E_INVALID, 'the empty name'); // to C it would be an anonymous object
  return {
    name,
    mode: readInteger(mode, 'mode', 0, MODE_MAX),
    flags: readBoolean(openOrCreate, 'openOrCreate') ? constants.OPEN_OR_CREATE : 0,
  };
}

module.exports = { HANDLE, KIND, LINES, SharedObject, TOKEN, readCreate };
